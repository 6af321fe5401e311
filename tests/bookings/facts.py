"""What tests of the PMS apps say in one line: a property with units, and facts about bookings."""

from datetime import date
from typing import Any

from apps.events.models import Event
from apps.properties.models import Property, Unit
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many

JUNE = [date(2027, 6, day) for day in range(1, 31)]
"""June 2027; `JUNE[0]` is the first."""


def make_units(
    tenant: TenantRef, *refs: str, property: str = "seaview", timezone: str = "Europe/Lisbon"
) -> list[Unit]:
    """Make a property with units of these ids."""
    with entering(tenant):
        place = Property.objects.create(ref=property, name=property.title(), timezone=timezone)
        return [Unit.objects.create(ref=ref, name=ref, property=place) for ref in refs]


def stay(ref: str, unit: str | None, arrival: int, departure: int) -> dict[str, Any]:
    """A stay from one day of June 2027 to another."""
    payload = {
        "stay_ref": ref,
        "arrival": f"2027-06-{arrival:02}",
        "departure": f"2027-06-{departure:02}",
        "adults": 2,
        "children": 0,
    }
    return payload | ({"unit_id": unit} if unit else {})


def state(
    ref: str,
    *stays: dict[str, Any],
    revision: int | None = 1,
    kind: str = "booking.created",
    source: str = "booking.com",
    id: str = "",
    **data: Any,
) -> Envelope:
    """A created or modified booking, numbered unless `revision` is None."""
    external_ref: dict[str, Any] = {"source": source, "booking_ref": ref}
    if revision is not None:
        external_ref["revision_ref"] = str(revision)
    return Envelope(
        id=id or f"{ref}:{revision}",
        source=source,
        type=kind,
        subject=ref,
        data={
            "external_ref": external_ref,
            "property_id": "seaview",
            "stays": list(stays),
            "status": "confirmed",
            "channel": source,
            "booked_at": "2027-01-15T10:00:00Z",
            "guest_ref": f"guest-{ref}",
            **data,
        },
    )


def cancellation(ref: str, *, revision: int, source: str = "booking.com") -> Envelope:
    """The cancellation of a booking."""
    return Envelope(
        id=f"{ref}:{revision}",
        source=source,
        type="booking.cancelled",
        subject=ref,
        data={
            "external_ref": {
                "source": source,
                "booking_ref": ref,
                "revision_ref": str(revision),
            },
            "cancelled_at": "2027-02-01T08:30:00Z",
        },
    )


def tell(tenant: TenantRef, *facts: Envelope) -> None:
    """Publish facts in a tenant, in this order."""
    with entering(tenant):
        publish_many(list(facts))


def told(tenant: TenantRef, type: str) -> list[dict[str, Any]]:
    """The data of every event of a type in the log, in the order of recording."""
    with entering(tenant):
        return list(Event.objects.filter(type=type).order_by("uid").values_list("data", flat=True))
