"""Housekeeping: the turnover cleans that stays leave behind."""
