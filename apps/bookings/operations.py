"""Recording revisions of bookings: keep each, apply the newest, tell what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from uuid import UUID

from django.db import transaction

from apps.bookings.models import Booking, BookingRevision, BookingStatus, Stay
from apps.bookings.money import split
from apps.bookings.revisions import RevisionKey, is_newer
from apps.bookings.telling import describe_stays, tell_changes
from apps.calendars.operations import Party, StayNights, Taken, take_nights
from apps.properties.models import Unit
from apps.properties.queries import get_property, get_units_of
from pms_events.catalogue.bookings import BookingState
from pms_events.catalogue.bookings import Stay as StayPayload

_BLOCKING = BookingStatus.CONFIRMED
_WRITTEN = [
    "unit", "unit_type", "arrival", "departure", "adults", "children", "is_scheduled",
    "share_minor",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision of a booking, as it came in."""

    source: str
    booking_ref: str
    key: RevisionKey
    kind: str
    event_uid: UUID
    recorded_at: datetime


def record_state(revision: Revision, state: BookingState) -> bool:
    """Record a created or modified revision, and apply it when it is the newest; gives whether.

    Locks the booking. Raises: UnknownProperty, UnknownUnit when it is to be applied; the
    transaction is then to be rolled back, and nothing is kept.
    """
    with transaction.atomic(savepoint=False):
        booking = _lock_booking(revision, status=state.status)
        if not _keep(booking, revision):
            return False
        property_ = get_property(state.property_id)
        units = get_units_of(property_, [s.unit_id for s in state.stays if s.unit_id])
        known = _stays(booking)
        before = describe_stays(booking, known)
        booking.property = property_
        booking.status = state.status
        booking.channel = state.channel
        booking.guest_ref = state.guest_ref
        booking.booked_at = state.booked_at
        booking.cancelled_at = None
        booking.total_minor = state.total.amount_minor if state.total else None
        booking.currency = state.total.currency if state.total else ""
        booking.save()
        stays = _write_stays(booking, known, state.stays, units=units)
        taken = _take(booking, stays) if before or booking.status == _BLOCKING else {}
        tell_changes(before, describe_stays(booking, stays), taken, revision=revision.event_uid)
        return True


def record_cancellation(revision: Revision, *, cancelled_at: datetime) -> bool:
    """Record a cancellation, and apply it when it is the newest; gives whether.

    One that precedes its create makes the booking, cancelled. Locks the booking.
    """
    with transaction.atomic(savepoint=False):
        booking = _lock_booking(revision, status=BookingStatus.CANCELLED)
        if not _keep(booking, revision):
            return False
        before = describe_stays(booking, _stays(booking))
        booking.status = BookingStatus.CANCELLED
        booking.cancelled_at = cancelled_at
        booking.save()
        if before:
            booking.stays.update(is_scheduled=False)
            _take(booking, [])
            tell_changes(before, {}, {}, revision=revision.event_uid)
        return True


@cache
def _statement(name: str) -> str:
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text()


def _lock_booking(revision: Revision, *, status: str) -> Booking:
    """Get the booking, locked, or make it. It also tells `is_new` and `is_known`, see the SQL."""
    key = revision.key
    rows = Booking.objects.raw(
        _statement("lock_booking"),
        {
            "source": revision.source,
            "booking_ref": revision.booking_ref,
            "status": status,
            "is_creation": key.is_creation,
            "number": key.number,
            "at": key.at,
            "ref": key.ref,
            "event_uid": revision.event_uid,
        },
    )
    return rows[0]


def _keep(booking: Booking, revision: Revision) -> bool:
    """Keep the revision and tell whether it is to be applied. The same event again is not."""
    if booking.is_known:  # type: ignore[attr-defined]
        return False
    applied = RevisionKey(
        is_creation=booking.applied_is_creation,
        number=booking.applied_number,
        at=booking.applied_at,
        ref=booking.applied_ref,
    )
    is_newest: bool = booking.is_new or is_newer(revision.key, than=applied)  # type: ignore[attr-defined]
    BookingRevision.objects.create(
        booking=booking,
        event_uid=revision.event_uid,
        kind=revision.kind,
        number=revision.key.number,
        revised_at=revision.key.at,
        revision_ref=revision.key.ref,
        is_stale=not is_newest,
        recorded_at=revision.recorded_at,
    )
    if is_newest:
        booking.applied_is_creation = revision.key.is_creation
        booking.applied_number = revision.key.number
        booking.applied_at = revision.key.at
        booking.applied_ref = revision.key.ref
    return is_newest


def _stays(booking: Booking) -> list[Stay]:
    if booking.is_new:  # type: ignore[attr-defined]
        return []
    return list(booking.stays.select_related("unit"))


def _write_stays(
    booking: Booking,
    known: Sequence[Stay],
    wanted: Sequence[StayPayload],
    *,
    units: Mapping[str, Unit],
) -> list[Stay]:
    """Bring the stays in line with the revision; those it does not name any more are deleted."""
    shares: Sequence[int | None] = [None] * len(wanted)
    if booking.total_minor is not None:
        shares = split(booking.total_minor, [(s.departure - s.arrival).days for s in wanted])
    stays = [
        Stay(
            booking=booking,
            stay_ref=payload.stay_ref,
            unit=units[payload.unit_id] if payload.unit_id else None,
            unit_type=payload.unit_type or "",
            arrival=payload.arrival,
            departure=payload.departure,
            adults=payload.adults,
            children=payload.children,
            is_scheduled=booking.status == _BLOCKING,
            share_minor=share,
        )
        for payload, share in zip(wanted, shares, strict=True)
    ]
    gone = {stay.stay_ref for stay in known} - {stay.stay_ref for stay in stays}
    if gone:
        booking.stays.filter(stay_ref__in=gone).delete()
    Stay.objects.bulk_create(
        stays,
        update_conflicts=True,
        unique_fields=["booking", "stay_ref"],
        update_fields=_WRITTEN,
    )
    return stays


def _take(booking: Booking, stays: Sequence[Stay]) -> dict[str, Taken]:
    """Make the booking hold the nights of its scheduled stays that have a unit, and no others."""
    party = Party(
        source=booking.source,
        booking_ref=booking.booking_ref,
        channel=booking.channel,
        guest_ref=booking.guest_ref,
    )
    wanted = [
        StayNights(
            unit=stay.unit, arrival=stay.arrival, departure=stay.departure, ref=stay.stay_ref
        )
        for stay in stays
        if stay.unit is not None and stay.is_scheduled
    ]
    return take_nights(party, wanted)
