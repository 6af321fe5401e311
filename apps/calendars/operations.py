"""Taking and releasing the nights of a booking. Serialised per unit by a lock on its row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Q
from psycopg2.extras import DateRange

from apps.calendars.models import CalendarEntry
from apps.calendars.overlaps import (
    Claim,
    is_in_conflict,
    keeps_place,
    new_nights,
)
from apps.properties.models import Unit

_LAST = 2**62
"""The place of claims that are not stored yet, below the largest bigint: behind all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who takes nights: a booking, where it was sold, and its guest."""

    source: str
    booking_ref: str
    channel: str = ""
    guest_ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StayNights:
    """The nights a stay wants: [arrival, departure) of a unit. `ref` names it in its booking."""

    unit: Unit
    arrival: date
    departure: date
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Nights that sold stays claim together since this change, and the bookings they belong to."""

    unit: str
    nights: tuple[date, ...]
    bookings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a stay's wish: whether it is in conflict, and the conflict that is new."""

    has_conflict: bool
    conflict: Conflict | None = None


def take_nights(party: Party, wanted: Sequence[StayNights]) -> dict[str, Taken]:
    """Make a booking hold exactly these nights, and no others; gives what became of each stay.

    Overbooking is never refused: both stays are kept, the one that came later is marked, and a
    marked one that fits after this change holds its nights. All units are locked at once, in id
    order. Doing it again changes nothing and finds no new conflict.
    """
    with transaction.atomic(savepoint=False):
        _lock_units(party, wanted)
        mine = CalendarEntry.objects.filter(source=party.source, booking_ref=party.booking_ref)
        before = {entry.ref: entry for entry in mine}
        after = {stay.ref: _entry(party, stay) for stay in wanted}
        changed = {ref for ref in before.keys() | after.keys() if _moved(before, after, ref)}
        _update_party(party, [before[ref] for ref in after if ref not in changed])
        answer = {
            ref: Taken(has_conflict=before[ref].has_conflict) for ref in after.keys() - changed
        }
        if changed:
            answer |= _change(
                {ref: before[ref] for ref in changed & before.keys()},
                {ref: after[ref] for ref in after if ref in changed},
                units={stay.unit.pk: stay.unit.ref for stay in wanted},
            )
        return answer


def _lock_units(party: Party, wanted: Sequence[StayNights]) -> None:
    """Make other changes of these units' nights wait until we commit."""
    held = CalendarEntry.objects.filter(source=party.source, booking_ref=party.booking_ref)
    units = Unit.objects.filter(
        Q(pk__in={stay.unit.pk for stay in wanted}) | Q(pk__in=held.values("unit"))
    )
    list(units.order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _entry(party: Party, stay: StayNights) -> CalendarEntry:
    return CalendarEntry(
        unit=stay.unit,
        nights=DateRange(stay.arrival, stay.departure),
        source=party.source,
        booking_ref=party.booking_ref,
        ref=stay.ref,
        channel=party.channel,
        guest_ref=party.guest_ref,
    )


def _moved(
    before: Mapping[str, CalendarEntry], after: Mapping[str, CalendarEntry], ref: str
) -> bool:
    old, new = before.get(ref), after.get(ref)
    return old is None or new is None or (old.unit_id, old.nights) != (new.unit_id, new.nights)


def _update_party(party: Party, entries: Sequence[CalendarEntry]) -> None:
    """Let entries that keep their nights say who has them now."""
    told = (party.channel, party.guest_ref)
    stale = [entry.pk for entry in entries if (entry.channel, entry.guest_ref) != told]
    if stale:
        CalendarEntry.objects.filter(pk__in=stale).update(
            channel=party.channel, guest_ref=party.guest_ref
        )


def _change(
    before: Mapping[str, CalendarEntry],
    after: Mapping[str, CalendarEntry],
    *,
    units: Mapping[int, str],
) -> dict[str, Taken]:
    """Replace some entries of a booking by others: decide about all of them, then write."""
    others = _around([*before.values(), *after.values()])
    rivals = {entry.pk: _claim(entry, entry.pk) for entry in others}
    old = {ref: _claim(entry, entry.pk) for ref, entry in before.items()}
    new: dict[str, Claim] = {}
    for n, (ref, entry) in enumerate(after.items()):
        claim = _claim(entry, _LAST + n)
        # An entry's id is its place: one that loses its place is written anew.
        keeps = ref in old and keeps_place(old[ref], claim, others=rivals.values())
        new[ref] = _claim(entry, old[ref].place) if keeps else claim
    everyone = [*rivals.values(), *new.values()]
    for ref, claim in new.items():
        after[ref].has_conflict = is_in_conflict(claim, everyone)
    freed = [
        entry.pk
        for entry in others
        if entry.has_conflict and not is_in_conflict(rivals[entry.pk], everyone)
    ]
    _write(before, after, new, freed=freed)
    return {
        ref: Taken(
            has_conflict=entry.has_conflict,
            conflict=_conflict(
                old.get(ref), new[ref], [*rivals.values(), *_earlier(new, ref)], units=units
            ),
        )
        for ref, entry in after.items()
    }


def _around(changed: Sequence[CalendarEntry]) -> list[CalendarEntry]:
    """Other entries that overlap changed ones, and, of those in conflict, what they overlap."""
    mine = {entry.pk for entry in changed if entry.pk}
    near = list(CalendarEntry.objects.filter(_overlapping(changed)).exclude(pk__in=mine))
    marked = [entry for entry in near if entry.has_conflict]
    if not marked:
        return near
    further = CalendarEntry.objects.filter(_overlapping(marked)).exclude(pk__in=mine)
    return list({entry.pk: entry for entry in [*near, *further]}.values())


def _overlapping(entries: Sequence[CalendarEntry]) -> Q:
    condition = Q()
    for entry in entries:
        condition |= Q(unit_id=entry.unit_id, nights__overlap=entry.nights)
    return condition


def _claim(entry: CalendarEntry, place: int) -> Claim:
    return Claim(
        place=place,
        unit_id=entry.unit_id,
        arrival=entry.nights.lower,
        departure=entry.nights.upper,
        booking_ref=entry.booking_ref,
    )


def _earlier(new: Mapping[str, Claim], ref: str) -> list[Claim]:
    """The booking's own stays before this one: the pair is told once, by the later."""
    refs = list(new)
    return [new[other] for other in refs[: refs.index(ref)]]


def _write(
    before: Mapping[str, CalendarEntry],
    after: Mapping[str, CalendarEntry],
    new: Mapping[str, Claim],
    *,
    freed: Sequence[int],
) -> None:
    """Write in an order in which no two holders ever share a night, which the database refuses."""
    kept = {ref: entry for ref, entry in after.items() if new[ref].place < _LAST}
    gone = [entry.pk for ref, entry in before.items() if ref not in kept]
    if gone:
        CalendarEntry.objects.filter(pk__in=gone).delete()
    holders = list(freed)
    for ref, entry in kept.items():
        entry.pk = before[ref].pk
        if not entry.has_conflict:
            holders.append(entry.pk)
            entry.has_conflict = True  # for the moment of the move, outside the constraint
    if kept:
        CalendarEntry.objects.bulk_update(
            kept.values(), ["nights", "channel", "guest_ref", "has_conflict"]
        )
    if holders:
        CalendarEntry.objects.filter(pk__in=holders).update(has_conflict=False)
    for entry in kept.values():
        entry.has_conflict = entry.pk not in holders
    CalendarEntry.objects.bulk_create([entry for ref, entry in after.items() if ref not in kept])


def _conflict(
    before: Claim | None, after: Claim, others: Sequence[Claim], *, units: Mapping[int, str]
) -> Conflict | None:
    fresh = {other: nights for other in others if (nights := new_nights(before, after, other))}
    if not fresh:
        return None
    return Conflict(
        unit=units[after.unit_id],
        nights=tuple(sorted(frozenset().union(*fresh.values()))),
        bookings=tuple(sorted({after.booking_ref, *(other.booking_ref for other in fresh)})),
    )
