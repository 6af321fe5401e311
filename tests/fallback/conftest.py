"""What the tests of the fallback queue start from: bookings of a property that does not exist."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.events.models import Event
from apps.fallback.alerting import DIED
from apps.fallback.models import DeadLetter
from apps.properties.models import Property, Unit
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.event_types import catalogue
from pms_events.publishing import publish_many

_EXAMPLE = catalogue.find("booking.created").example  # type: ignore[union-attr]


def booking(ref: str, *, property_id: str = "nowhere", status: str = "confirmed") -> dict[str, Any]:
    """The data of a `booking.created`, which `bookings.record_booking` takes."""
    return {
        **_EXAMPLE,
        "status": status,
        "property_id": property_id,
        "external_ref": {**_EXAMPLE["external_ref"], "booking_ref": ref},
        "stays": [{**_EXAMPLE["stays"][0], "stay_ref": f"{ref}-1"}],
    }


@pytest.fixture
def die(run_all: Callable[..., int]) -> Callable[..., list[DeadLetter]]:
    """Make a dead letter for each booking: `die(acme, "1", "2")`, oldest first.

    Tentative ones take no nights, so that many can be recorded later without conflicts.
    """

    def make(tenant: TenantRef, *refs: str, status: str = "confirmed") -> list[DeadLetter]:
        with entering(tenant):
            publish_many(
                [
                    Envelope(
                        id=r, source="test", type="booking.created", data=booking(r, status=status)
                    )
                    for r in refs
                ]
            )
        run_all()
        with entering(tenant):
            Event.objects.filter(type=DIED).delete()
            found = DeadLetter.objects.filter(handler="bookings.record_booking")
            return list(found.order_by("delivery_id"))

    return make


@pytest.fixture
def build() -> Callable[..., None]:
    """Make a property, with the unit that the bookings name: `build(acme, "seaview")`."""

    def make(tenant: TenantRef, ref: str) -> None:
        with entering(tenant):
            property_ = Property.objects.create(ref=ref, name=ref.title())
            Unit.objects.create(property=property_, ref="seaview-101", name="101")

    return make
