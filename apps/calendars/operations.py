"""Taking and releasing nights. Serialised per unit by a lock on its row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from psycopg2.extras import DateRange

from apps.calendars.models import CalendarEntry
from apps.properties.models import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class StayNights:
    """The nights a stay wants: [arrival, departure) of a unit."""

    unit: Unit
    arrival: date
    departure: date
    source: str
    booking_ref: str
    ref: str
    channel: str = ""
    guest_ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Nights that two sold stays claim."""

    unit: str
    nights: tuple[date, ...]
    bookings: tuple[str, ...]


def lock_units(units: Sequence[int]) -> None:
    """Make other changes of these units' nights wait until we commit. In id order: no deadlock."""
    list(
        Unit.objects.filter(pk__in=units).order_by("pk").select_for_update(no_key=True)
        .values_list("pk")
    )  # fmt: skip


def take_nights(wanted: StayNights) -> Conflict | None:
    """Give a stay its nights, or move it there; gives the new conflict, if that made one.

    Both stays are kept when nights overlap: the one that held them keeps them, the new one is
    marked. Safe to repeat: the same stay with the same nights changes nothing.
    """
    with transaction.atomic():
        before = CalendarEntry.objects.filter(
            source=wanted.source, booking_ref=wanted.booking_ref, ref=wanted.ref
        ).first()
        lock_units([wanted.unit.pk, *([before.unit_id] if before else [])])
        nights = DateRange(wanted.arrival, wanted.departure)
        taken = CalendarEntry.objects.filter(unit=wanted.unit, nights__overlap=nights)
        if before:
            taken = taken.exclude(pk=before.pk)
        holders = [entry for entry in taken.order_by("pk") if not entry.has_conflict]
        entry = before or CalendarEntry(
            source=wanted.source, booking_ref=wanted.booking_ref, ref=wanted.ref
        )
        freed = [(before.unit_id, before.nights)] if before and not before.has_conflict else []
        known = bool(before and before.has_conflict and before.unit_id == wanted.unit.pk
                     and before.nights == nights)  # fmt: skip
        entry.unit, entry.nights = wanted.unit, nights
        entry.channel, entry.guest_ref = wanted.channel, wanted.guest_ref
        entry.has_conflict = bool(holders)
        entry.save()
        for unit_id, range_ in freed:
            _settle_conflicts(unit_id, range_)
        return _conflict(wanted, holders) if holders and not known else None


def release_nights(*, source: str, booking_ref: str, ref: str) -> None:
    """Free the nights of a stay; one that was in conflict over them takes its place if it fits.

    Nothing to free is fine: the stay held none.
    """
    with transaction.atomic():
        entry = CalendarEntry.objects.filter(
            source=source, booking_ref=booking_ref, ref=ref
        ).first()
        if entry is None:
            return
        lock_units([entry.unit_id])
        entry.delete()
        if not entry.has_conflict:
            _settle_conflicts(entry.unit_id, entry.nights)


def _settle_conflicts(unit_id: int, freed: DateRange) -> None:
    """Let stays in conflict over freed nights hold them, first come first served."""
    waiting = CalendarEntry.objects.filter(
        unit_id=unit_id, has_conflict=True, nights__overlap=freed
    ).order_by("pk")
    for entry in waiting:
        others = CalendarEntry.objects.filter(
            unit_id=unit_id, has_conflict=False, nights__overlap=entry.nights
        )
        if not others.exists():
            CalendarEntry.objects.filter(pk=entry.pk).update(has_conflict=False)


def _conflict(wanted: StayNights, holders: Sequence[CalendarEntry]) -> Conflict:
    nights: set[date] = set()
    for holder in holders:
        start = max(wanted.arrival, holder.nights.lower)
        end = min(wanted.departure, holder.nights.upper)
        nights.update(start + timedelta(days=n) for n in range((end - start).days))
    return Conflict(
        unit=wanted.unit.ref,
        nights=tuple(sorted(nights)),
        bookings=tuple(sorted({wanted.booking_ref, *(h.booking_ref for h in holders)})),
    )
