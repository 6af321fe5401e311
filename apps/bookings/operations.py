"""Recording revisions of bookings: keep each, apply the newest, tell what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from apps.bookings.models import Booking, BookingRevision, BookingStatus, Stay
from apps.bookings.money import split
from apps.bookings.revisions import RevisionKey, is_newer
from apps.calendars.operations import Conflict, StayNights, release_nights, take_nights
from apps.properties.models import Property, Unit
from apps.properties.queries import get_property, get_units_of
from pms_events.catalogue.bookings import (
    BookingConflictDetected,
    BookingState,
    StayScheduled,
    StayWithdrawn,
)
from pms_events.catalogue.bookings import Stay as StayPayload
from pms_events.payloads import Money
from pms_events.publishing import publish


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision of a booking, as it came in."""

    source: str
    booking_ref: str
    key: RevisionKey
    kind: str
    event_uid: UUID
    recorded_at: datetime


class _Before(NamedTuple):
    """What a stay was before the revision; nothing is told about one that did not change."""

    is_scheduled: bool
    unit: str | None
    arrival: object
    departure: object
    share: int | None
    guest_ref: str
    channel: str


def record_state(revision: Revision, state: BookingState) -> bool:
    """Record a created or modified revision, and apply it when it is the newest; gives whether.

    Locks the booking. Raises: UnknownProperty, UnknownUnit; nothing is kept then.
    """
    property_ = get_property(state.property_id)
    units = get_units_of(property_, [s.unit_id for s in state.stays if s.unit_id])
    booking, is_new = _get_or_start(revision, status=state.status)
    if not _is_applied(booking, revision, is_new=is_new):
        return False
    before_guest, before_channel = booking.guest_ref, booking.channel
    booking.property = property_
    booking.status = state.status
    booking.channel = state.channel
    booking.guest_ref = state.guest_ref
    booking.booked_at = state.booked_at
    booking.cancelled_at = None
    booking.total_minor = state.total.amount_minor if state.total else None
    booking.currency = state.total.currency if state.total else ""
    _apply(booking, revision)
    _apply_stays(
        booking, state.stays, property_=property_, units=units, told=(before_guest, before_channel)
    )
    return True


def record_cancellation(revision: Revision, *, cancelled_at: datetime) -> bool:
    """Record a cancellation, and apply it when it is the newest; gives whether.

    One that precedes its create makes the booking, cancelled. Locks the booking.
    """
    booking, is_new = _get_or_start(revision, status=BookingStatus.CANCELLED)
    if not _is_applied(booking, revision, is_new=is_new):
        return False
    booking.status = BookingStatus.CANCELLED
    booking.cancelled_at = cancelled_at
    _apply(booking, revision)
    for stay in booking.stays.select_related("unit"):
        _withdraw(booking, stay)
    return True


def _get_or_start(revision: Revision, *, status: str) -> tuple[Booking, bool]:
    """Get the booking, locked, or make it; two that make it at once end up with one."""
    key = revision.key
    _, is_new = Booking.objects.get_or_create(
        source=revision.source,
        booking_ref=revision.booking_ref,
        defaults={
            "status": status,
            "applied_is_creation": key.is_creation,
            "applied_number": key.number,
            "applied_at": key.at,
            "applied_ref": key.ref,
        },
    )
    booking = Booking.objects.select_for_update().get(
        source=revision.source, booking_ref=revision.booking_ref
    )
    return booking, is_new


def _is_applied(booking: Booking, revision: Revision, *, is_new: bool) -> bool:
    """Keep the revision and tell whether it is to be applied. The same event again is not."""
    applied = RevisionKey(
        is_creation=booking.applied_is_creation,
        number=booking.applied_number,
        at=booking.applied_at,
        ref=booking.applied_ref,
    )
    newest = is_new or is_newer(revision.key, than=applied)
    _, is_first_time = BookingRevision.objects.get_or_create(
        event_uid=revision.event_uid,
        defaults={
            "booking": booking,
            "kind": revision.kind,
            "number": revision.key.number,
            "revised_at": revision.key.at,
            "revision_ref": revision.key.ref,
            "is_stale": not newest,
            "recorded_at": revision.recorded_at,
        },
    )
    return newest and is_first_time


def _apply(booking: Booking, revision: Revision) -> None:
    booking.applied_is_creation = revision.key.is_creation
    booking.applied_number = revision.key.number
    booking.applied_at = revision.key.at
    booking.applied_ref = revision.key.ref
    booking.save()


def _apply_stays(
    booking: Booking,
    wanted: Sequence[StayPayload],
    *,
    property_: Property,
    units: Mapping[str, Unit],
    told: tuple[str, str],
) -> None:
    """Bring the stays in line with the revision: release first, so that freed nights can be taken."""
    known = {stay.stay_ref: stay for stay in booking.stays.select_related("unit")}
    refs = {stay.stay_ref for stay in wanted}
    for ref, stay in known.items():
        if ref not in refs:
            _withdraw(booking, stay)
            stay.delete()
    is_confirmed = booking.status == BookingStatus.CONFIRMED
    nights = [(stay.departure - stay.arrival).days for stay in wanted]
    shares: Sequence[int | None] = [None] * len(wanted)
    if booking.total_minor is not None:
        shares = split(booking.total_minor, nights)
    for payload, share in zip(wanted, shares, strict=True):
        stay = known.get(payload.stay_ref) or Stay(
            booking=booking, stay_ref=payload.stay_ref, is_scheduled=False
        )
        before = _Before(
            stay.is_scheduled, stay.unit.ref if stay.unit else None, stay.arrival, stay.departure,
            stay.share_minor, *told,
        )  # fmt: skip
        if not is_confirmed and stay.pk:
            _withdraw(booking, stay)
        stay.unit = units[payload.unit_id] if payload.unit_id else None
        stay.unit_type = payload.unit_type or ""
        stay.arrival, stay.departure = payload.arrival, payload.departure
        stay.adults, stay.children = payload.adults, payload.children
        stay.share_minor = share
        stay.is_scheduled = is_confirmed
        if is_confirmed:
            _schedule(booking, stay, before=before, property_=property_)
        stay.save()


def _schedule(booking: Booking, stay: Stay, *, before: _Before, property_: Property) -> None:
    """Take the nights of a stay and tell that it takes place, if anything about it changed."""
    conflict: Conflict | None = None
    if stay.unit is not None:
        conflict = take_nights(
            StayNights(
                unit=stay.unit,
                arrival=stay.arrival,
                departure=stay.departure,
                source=booking.source,
                booking_ref=booking.booking_ref,
                ref=stay.stay_ref,
                channel=booking.channel,
                guest_ref=booking.guest_ref,
            )
        )
    elif before.unit is not None:
        release_nights(source=booking.source, booking_ref=booking.booking_ref, ref=stay.stay_ref)
    unit = stay.unit.ref if stay.unit else None
    now = _Before(
        True, unit, stay.arrival, stay.departure, stay.share_minor, booking.guest_ref,
        booking.channel,
    )  # fmt: skip
    if conflict is not None:
        stay.has_conflict = True
        publish(
            BookingConflictDetected(
                unit_id=conflict.unit,
                nights=list(conflict.nights),
                bookings=list(conflict.bookings),
            ),
            subject=conflict.unit,
        )
    if now == before:
        return
    moved = before.is_scheduled and before.unit != unit
    publish(
        StayScheduled(
            stay_ref=stay.stay_ref,
            booking_ref=booking.booking_ref,
            booking_source=booking.source,
            property_id=property_.ref,
            unit_id=unit,
            previous_unit_id=before.unit if moved else None,
            arrival=stay.arrival,
            departure=stay.departure,
            channel=booking.channel,
            guest_ref=booking.guest_ref,
            has_conflict=conflict is not None,
            share=Money(amount_minor=stay.share_minor, currency=booking.currency)
            if stay.share_minor is not None
            else None,
        ),
        subject=booking.booking_ref,
    )


def _withdraw(booking: Booking, stay: Stay) -> None:
    """Free a stay's nights and tell that it does not take place; nothing when it did not."""
    if not stay.is_scheduled:
        return
    release_nights(source=booking.source, booking_ref=booking.booking_ref, ref=stay.stay_ref)
    Stay.objects.filter(pk=stay.pk).update(is_scheduled=False, has_conflict=False)
    stay.is_scheduled = stay.has_conflict = False
    publish(
        StayWithdrawn(
            stay_ref=stay.stay_ref,
            booking_ref=booking.booking_ref,
            booking_source=booking.source,
            property_id=booking.property.ref if booking.property else None,
            unit_id=stay.unit.ref if stay.unit else None,
            arrival=stay.arrival,
            departure=stay.departure,
        ),
        subject=booking.booking_ref,
    )
