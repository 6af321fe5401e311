"""Bookings: every revision as received, the state that holds now, what follows from a change."""
