"""Bookings: every revision as received, the state that holds now, and what follows from a change."""
