"""What is told about a booking's stays: the difference between what was told and what holds now."""

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID, uuid5

from apps.bookings.models import Booking, Stay
from apps.calendars.operations import Taken
from pms_events.catalogue.bookings import BookingConflictDetected, StayScheduled, StayWithdrawn
from pms_events.envelope import Envelope
from pms_events.event_types import catalogue
from pms_events.payloads import Money, Payload
from pms_events.publishing import OWN_SOURCE, publish_many


def describe_stays(booking: Booking, stays: Iterable[Stay]) -> dict[str, StayScheduled]:
    """State each scheduled stay as an event would, by stay_ref; without conflicts and moves."""
    return {
        stay.stay_ref: StayScheduled(
            stay_ref=stay.stay_ref,
            booking_ref=booking.booking_ref,
            booking_source=booking.source,
            property_id=booking.property.ref if booking.property else "",
            unit_id=stay.unit.ref if stay.unit else None,
            arrival=stay.arrival,
            departure=stay.departure,
            channel=booking.channel,
            guest_ref=booking.guest_ref,
            share=Money(amount_minor=stay.share_minor, currency=booking.currency)
            if stay.share_minor is not None
            else None,
        )
        for stay in stays
        if stay.is_scheduled
    }


def tell_changes(
    before: Mapping[str, StayScheduled],
    after: Mapping[str, StayScheduled],
    taken: Mapping[str, Taken],
    *,
    revision: UUID,
) -> None:
    """Publish what changed between two states of a booking's stays, all at once.

    The ids derive from the revision's event, so that saying it twice is a duplicate.
    """
    facts = [
        _fact(_withdrawn(told), about=ref, subject=told.booking_ref, revision=revision)
        for ref, told in before.items()
        if ref not in after
    ]
    for ref, stay in after.items():
        if stay != before.get(ref):
            payload = _scheduled(stay, before.get(ref), taken.get(ref))
            facts.append(_fact(payload, about=ref, subject=stay.booking_ref, revision=revision))
    facts += _conflicts(taken, revision=revision)
    publish_many(facts)


def _scheduled(
    stay: StayScheduled, before: StayScheduled | None, taken: Taken | None
) -> StayScheduled:
    has_moved = before is not None and before.unit_id != stay.unit_id
    return stay.model_copy(
        update={
            "previous_unit_id": before.unit_id if before and has_moved else None,
            "has_conflict": taken is not None and taken.has_conflict,
        }
    )


def _withdrawn(stay: StayScheduled) -> StayWithdrawn:
    return StayWithdrawn(
        stay_ref=stay.stay_ref,
        booking_ref=stay.booking_ref,
        booking_source=stay.booking_source,
        property_id=stay.property_id,
        unit_id=stay.unit_id,
        arrival=stay.arrival,
        departure=stay.departure,
    )


def _conflicts(taken: Mapping[str, Taken], *, revision: UUID) -> Iterator[Envelope]:
    for ref, outcome in taken.items():
        conflict = outcome.conflict
        if conflict is not None:
            payload = BookingConflictDetected(
                unit_id=conflict.unit,
                nights=list(conflict.nights),
                bookings=list(conflict.bookings),
            )
            yield _fact(payload, about=ref, subject=conflict.unit, revision=revision)


def _fact(payload: Payload, *, about: str, subject: str, revision: UUID) -> Envelope:
    name = catalogue.of(type(payload)).name
    return Envelope(
        id=str(uuid5(revision, f"{name}:{about}")),
        source=OWN_SOURCE,
        type=name,
        subject=subject,
        data=payload.as_data(),
    )
