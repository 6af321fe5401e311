"""P4: a booking with all its real effects, by the engine and by one Celery task a handler."""

import time
from collections.abc import Callable
from datetime import date, timedelta

from django.db import connection

from apps.dispatch.models import Arrival, PendingDelivery
from apps.properties.models import Property, Unit
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many

UNITS = 50


def make_units(tenants: list[TenantRef]) -> None:
    """A property with fifty units in each tenant."""
    for tenant in tenants:
        with entering(tenant):
            place = Property.objects.create(ref="seaview", name="Seaview", timezone="Europe/Lisbon")
            Unit.objects.bulk_create(
                Unit(ref=f"u{n}", name=str(n), property=place) for n in range(UNITS)
            )


def bookings(prefix: str, count: int, *, first: date) -> list[Envelope]:
    """Bookings that fill the units one after the other, with a night between two stays."""
    made = []
    for n in range(count):
        arrival = first + timedelta(days=4 * (n // UNITS))
        ref = f"{prefix}-{n}"
        made.append(
            Envelope(
                id=ref, source="bench", type="booking.created", subject=ref,
                data={
                    "external_ref": {"source": "bench", "booking_ref": ref, "revision_ref": "1"},
                    "property_id": "seaview",
                    "stays": [
                        {
                            "stay_ref": f"{ref}-1",
                            "unit_id": f"u{n % UNITS}",
                            "arrival": arrival.isoformat(),
                            "departure": (arrival + timedelta(days=3)).isoformat(),
                            "adults": 2,
                            "children": 0,
                        }
                    ],
                    "status": "confirmed",
                    "channel": "bench",
                    "booked_at": "2027-01-15T10:00:00Z",
                    "total": {"amount_minor": 30000, "currency": "EUR"},
                    "guest_ref": f"g-{ref}",
                },
            )
        )  # fmt: skip
    return made


def per_second(
    tenants: list[TenantRef], *, each: int, prefix: str, first: date, is_idle: Callable[[], bool]
) -> float:
    """Publish bookings in each tenant, wait until all their effects are done; bookings a second."""
    envelopes = bookings(prefix, each, first=first)
    started = time.perf_counter()
    for tenant in tenants:
        with entering(tenant):
            publish_many(envelopes)
    while not is_idle():
        time.sleep(0.02)
    return each * len(tenants) / (time.perf_counter() - started)


def engine_is_idle() -> bool:
    return not Arrival.objects.exists() and not PendingDelivery.objects.exists()


def effects(tenants: list[TenantRef]) -> tuple[int, int, int]:
    """Stays in calendars, cleans, counted stays: both designs must have made the same."""
    counts = [0, 0, 0]
    tables = ("calendars_calendarentry", "housekeeping_cleaningtask", "reporting_stayfact")
    for tenant in tenants:
        with entering(tenant), connection.cursor() as cursor:
            for index, table in enumerate(tables):
                cursor.execute(f"SELECT count(*) FROM {table}")
                counts[index] += cursor.fetchone()[0]
    return counts[0], counts[1], counts[2]
