"""The catalogue: one module per category, one class per event type. Importing it fills the registry."""

from pms_events.catalogue import bookings, custom, housekeeping, operations, sync

__all__ = ["bookings", "custom", "housekeeping", "operations", "sync"]
