"""What the stories share: a property with units, bookings of channels, what came of them."""

from datetime import date
from typing import Any

from apps.bookings.models import Booking, BookingRevision
from apps.calendars.models import CalendarEntry
from apps.events.models import Event
from apps.housekeeping.models import CleaningTask, TaskStatus
from apps.properties.models import Property, Unit
from apps.reporting.models import DailyFigure
from apps.tenants.entering import TenantRef, entering


def make_property(tenant: TenantRef, *, units: int = 2, timezone: str = "Europe/Lisbon") -> None:
    """A property `seaview` with units `seaview-101`, `seaview-102`, …"""
    with entering(tenant):
        place = Property.objects.create(ref="seaview", name="Seaview", timezone=timezone)
        for n in range(units):
            Unit.objects.create(ref=f"seaview-{101 + n}", name=str(101 + n), property=place)


def created(
    ref: str,
    arrival: str,
    departure: str,
    *,
    unit: str | None = "seaview-101",
    channel: str = "booking.com",
    revision: int = 1,
    type: str = "booking.created",
    **data: Any,
) -> dict[str, Any]:
    """A booking of one stay, as a channel states it."""
    stay: dict[str, Any] = {
        "stay_ref": f"{ref}-1",
        "arrival": arrival,
        "departure": departure,
        "adults": 2,
        "children": 0,
    }
    if unit:
        stay["unit_id"] = unit
    return {
        "id": f"{ref}:{revision}",
        "source": channel,
        "type": type,
        "subject": ref,
        "data": {
            "external_ref": {"source": channel, "booking_ref": ref, "revision_ref": str(revision)},
            "property_id": "seaview",
            "stays": [stay],
            "status": "confirmed",
            "channel": channel,
            "booked_at": "2027-01-15T10:00:00Z",
            "guest_ref": f"guest-{ref}",
            **data,
        },
    }


def modified(
    ref: str, arrival: str, departure: str, *, revision: int, **more: Any
) -> dict[str, Any]:
    """A later state of a booking."""
    event = created(ref, arrival, departure, revision=revision, type="booking.modified", **more)
    event["data"]["revision"] = revision
    return event


def cancelled(ref: str, *, revision: int, channel: str = "booking.com") -> dict[str, Any]:
    """The cancellation of a booking."""
    return {
        "id": f"{ref}:{revision}",
        "source": channel,
        "type": "booking.cancelled",
        "subject": ref,
        "data": {
            "external_ref": {"source": channel, "booking_ref": ref, "revision_ref": str(revision)},
            "cancelled_at": "2027-02-01T08:30:00Z",
            "revision": revision,
        },
    }


def nights(tenant: TenantRef, *, unit: str = "seaview-101") -> list[tuple[date, date, bool]]:
    """Arrival, departure and conflict of what is in a unit's calendar."""
    with entering(tenant):
        rows = CalendarEntry.objects.filter(unit__ref=unit).order_by("nights")
        return [(r.nights.lower, r.nights.upper, r.has_conflict) for r in rows]


def cleans(tenant: TenantRef) -> list[tuple[str, str, str | None]]:
    """Unit and window of each planned clean."""
    with entering(tenant):
        rows = CleaningTask.objects.filter(status=TaskStatus.PLANNED).order_by("window_start", "id")
        return [
            (
                task.unit.ref,
                task.window_start.strftime("%m-%d %H:%M"),
                task.window_end.strftime("%m-%d %H:%M") if task.window_end else None,
            )
            for task in rows.select_related("unit")
        ]


def occupied(tenant: TenantRef) -> dict[str, int]:
    """Occupied units per day, where there are any."""
    with entering(tenant):
        rows = DailyFigure.objects.exclude(occupied_units=0).order_by("day")
        return {row.day.isoformat(): row.occupied_units for row in rows}


def end_state(tenant: TenantRef) -> dict[str, Any]:
    """Everything that a story's outcome is judged by."""
    with entering(tenant):
        bookings = sorted(Booking.objects.values_list("booking_ref", "status", "applied_ref"))
    return {
        "bookings": bookings,
        "nights": [nights(tenant, unit=f"seaview-{n}") for n in (101, 102)],
        "cleans": cleans(tenant),
        "occupied": occupied(tenant),
    }


def count(tenant: TenantRef, type: str) -> int:
    """How many events of a type the log has."""
    with entering(tenant):
        return Event.objects.filter(type=type).count()


def revisions(tenant: TenantRef) -> list[tuple[str, bool]]:
    """Each revision's ref and whether it was stale."""
    with entering(tenant):
        return list(BookingRevision.objects.values_list("revision_ref", "is_stale"))
