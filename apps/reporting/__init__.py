"""Read models for dashboards and reports: small, derived, rebuilt from events."""
