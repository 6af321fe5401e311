"""Properties and their units: what is rented out, and in which time zone it lies."""
