"""Bookings and stays: what channels and front desks report, and what we decided about it."""

from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pms_events.categories import BOOKINGS, P0, P1
from pms_events.event_types import event_type
from pms_events.payloads import AwareDatetime, Identifier, Money, Payload

BOOKING_STREAM = "booking:{external_ref.booking_ref}"


def _unique_stays(stays: "list[Stay]") -> "list[Stay]":
    refs = [stay.stay_ref for stay in stays]
    if len(set(refs)) != len(refs):
        raise ValueError("each stay of a booking needs its own stay_ref")
    return stays


class ExternalRef(Payload):
    """Which booking it is for the system that sold it, and which revision of it."""

    source: Identifier
    booking_ref: Identifier
    revision_ref: Identifier | None = None


class Stay(Payload):
    """One unit's part of a booking. The nights are [arrival, departure): departure is exclusive."""

    stay_ref: Identifier
    unit_type: Identifier | None = None
    unit_id: Identifier | None = None
    arrival: date
    departure: date = Field(description="exclusive: the morning the guest leaves")
    adults: Annotated[int, Field(ge=0, le=1000)]
    children: Annotated[int, Field(ge=0, le=1000)]

    @model_validator(mode="after")
    def _has_nights(self) -> Self:
        if self.departure <= self.arrival:
            raise ValueError("departure must be after arrival")
        if (self.departure - self.arrival).days > 1000:
            raise ValueError("a stay has at most 1000 nights")
        return self


_EXAMPLE_REF = {"source": "booking.com", "booking_ref": "3333333333", "revision_ref": "1"}
_EXAMPLE_BOOKING = {
    "external_ref": _EXAMPLE_REF,
    "property_id": "seaview",
    "stays": [
        {
            "stay_ref": "3333333333-1",
            "unit_id": "seaview-101",
            "arrival": "2027-06-01",
            "departure": "2027-06-04",
            "adults": 2,
            "children": 0,
        }
    ],
    "status": "confirmed",
    "channel": "booking.com",
    "booked_at": "2027-01-15T10:00:00Z",
    "total": {"amount_minor": 45000, "currency": "EUR"},
    "guest_ref": "guest-81",
}


class BookingState(Payload):
    """What created and modified have in common: the whole booking as it is after the change."""

    external_ref: ExternalRef
    property_id: Identifier
    stays: Annotated[list[Stay], Field(min_length=1, max_length=100), AfterValidator(_unique_stays)]
    status: Literal["confirmed", "tentative", "inquiry", "request", "cancelled", "no_show"]
    channel: Identifier
    booked_at: AwareDatetime
    total: Money | None = None
    guest_ref: Identifier


@event_type("booking.created", category=BOOKINGS, priority=P0, stream=BOOKING_STREAM)
class BookingCreated(BookingState):
    """A booking was made on a channel or at the front desk. It is already sold: never rejected."""

    example: ClassVar = _EXAMPLE_BOOKING


@event_type("booking.modified", category=BOOKINGS, priority=P0, stream=BOOKING_STREAM)
class BookingModified(BookingState):
    """A booking changed. Carries the whole new state; `revision` orders it among its revisions."""

    revision: int | Identifier | None = None
    changed_fields: list[Identifier] = Field(default_factory=list)
    revised_at: AwareDatetime | None = None

    example: ClassVar = {
        **_EXAMPLE_BOOKING,
        "external_ref": {**_EXAMPLE_REF, "revision_ref": "2"},
        "stays": [{**_EXAMPLE_BOOKING["stays"][0], "departure": "2027-06-05"}],  # type: ignore[index]
        "revision": 2,
    }


@event_type("booking.cancelled", category=BOOKINGS, priority=P0, stream=BOOKING_STREAM)
class BookingCancelled(Payload):
    """A booking was cancelled by the guest, the channel or the property. May precede its create."""

    external_ref: ExternalRef
    cancelled_at: AwareDatetime
    revision: int | Identifier | None = None
    reason: str | None = None
    fee: Money | None = None

    example: ClassVar = {
        "external_ref": {**_EXAMPLE_REF, "revision_ref": "3"},
        "cancelled_at": "2027-02-01T08:30:00Z",
        "reason": "guest changed plans",
    }


@event_type("booking.conflict_detected", category=BOOKINGS, priority=P0, stream="unit:{unit_id}")
class BookingConflictDetected(Payload):
    """Two sold stays claim the same nights of a unit (own). A person decides; nothing is cancelled."""

    unit_id: Identifier
    nights: list[date]
    bookings: list[Identifier]

    example: ClassVar = {
        "unit_id": "seaview-101",
        "nights": ["2027-06-03"],
        "bookings": ["3333333333", "HMABCD1234"],
    }


@event_type("stay.scheduled", category=BOOKINGS, priority=P1, stream="booking:{booking_ref}")
class StayScheduled(Payload):
    """We decided where and when a stay takes place (own). Follows a newer revision, not a stale one.

    Carries the stay's whole current state. `previous_unit_id` is set when the stay moved.
    """

    stay_ref: Identifier
    booking_ref: Identifier
    booking_source: Identifier
    property_id: Identifier
    unit_id: Identifier | None = None
    previous_unit_id: Identifier | None = None
    arrival: date
    departure: date
    channel: Identifier
    guest_ref: Identifier
    has_conflict: bool = False
    share: Money | None = Field(default=None, description="this stay's part of the total")

    example: ClassVar = {
        "stay_ref": "3333333333-1",
        "booking_ref": "3333333333",
        "booking_source": "booking.com",
        "property_id": "seaview",
        "unit_id": "seaview-101",
        "arrival": "2027-06-01",
        "departure": "2027-06-04",
        "channel": "booking.com",
        "guest_ref": "guest-81",
        "share": {"amount_minor": 45000, "currency": "EUR"},
    }


@event_type("stay.withdrawn", category=BOOKINGS, priority=P1, stream="booking:{booking_ref}")
class StayWithdrawn(Payload):
    """A stay holds no nights any more (own): cancelled, dropped from its booking, or not blocking."""

    stay_ref: Identifier
    booking_ref: Identifier
    booking_source: Identifier
    property_id: Identifier | None = None
    unit_id: Identifier | None = None
    arrival: date | None = None
    departure: date | None = None

    example: ClassVar = {
        "stay_ref": "3333333333-1",
        "booking_ref": "3333333333",
        "booking_source": "booking.com",
        "property_id": "seaview",
        "unit_id": "seaview-101",
        "arrival": "2027-06-01",
        "departure": "2027-06-04",
    }
