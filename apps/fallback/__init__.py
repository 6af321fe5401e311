"""What needs a person (tenant schema): dead letters, their review, admin screens and API."""
