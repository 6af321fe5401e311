"""The Django apps: what is stored, shown and done. Imports point one way; see docs/architecture.md."""
