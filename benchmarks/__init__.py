"""Measured side by side with what one would write instead; ratios of one run, see __main__.py."""
