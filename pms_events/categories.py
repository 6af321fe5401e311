"""Categories and priorities: the coarse classes an event type and a handler belong to."""

from enum import IntEnum, StrEnum


class Category(StrEnum):
    """A coarse group that sets the Celery queue, the worker and the default retry."""

    BOOKINGS = "bookings"
    CALENDARS = "calendars"
    MESSAGING = "messaging"
    HOUSEKEEPING = "housekeeping"
    MAINTENANCE = "maintenance"
    DEVICES = "devices"
    SYNC = "sync"
    AUTOMATION = "automation"
    REPORTING = "reporting"

    @property
    def queue(self) -> str:
        """The Celery queue on which this category's doorbells ring."""
        return f"events.{self.value}"


class Priority(IntEnum):
    """How urgent an event is: P0 acts in seconds, P4 is best effort."""

    P0 = 0
    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4


BOOKINGS = Category.BOOKINGS
CALENDARS = Category.CALENDARS
MESSAGING = Category.MESSAGING
HOUSEKEEPING = Category.HOUSEKEEPING
MAINTENANCE = Category.MAINTENANCE
DEVICES = Category.DEVICES
SYNC = Category.SYNC
AUTOMATION = Category.AUTOMATION
REPORTING = Category.REPORTING

P0, P1, P2, P3, P4 = Priority
