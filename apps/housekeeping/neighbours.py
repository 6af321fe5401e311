"""Which stays of a unit follow each other, as the calendar has it now."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from psycopg2.extras import DateRange

from apps.calendars.models import CalendarEntry, EntryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Nights [arrival, departure) of a unit where a stay is, or was."""

    unit_id: int
    arrival: date
    departure: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A stay in the calendar, the arrival of the next one in its unit, and who that is."""

    entry: CalendarEntry
    next_arrival: date | None
    next_guest: str | None

    @property
    def is_turnover(self) -> bool:
        """Tell whether a clean follows: not after a stay in conflict, which may never happen
        here, and not when the same guest stays on without a night between."""
        stays_on = (
            self.next_arrival == self.entry.nights.upper
            and bool(self.entry.guest_ref)
            and self.next_guest == self.entry.guest_ref
        )
        return not self.entry.has_conflict and not stays_on


def get_neighbours(
    places: Collection[Place], *, source: str, booking_ref: str, stay_ref: str
) -> list[Neighbour]:
    """The stay itself, those that share nights with the places, and the last one before each.

    In the order of their ids. Only stays without conflict follow or precede: they do not overlap.
    """
    wanted = Q(source=source, booking_ref=booking_ref, ref=stay_ref)
    for place in places:
        nights = DateRange(place.arrival, place.departure)
        wanted |= Q(unit_id=place.unit_id, nights__overlap=nights)
        before = _holders().filter(unit_id=place.unit_id, nights__endswith__lte=place.arrival)
        wanted |= Q(pk__in=Subquery(before.order_by("-nights").values("pk")[:1]))
    following = (
        _holders()
        .filter(unit=OuterRef("unit"), nights__startswith__gte=OuterRef("departs"))
        .exclude(pk=OuterRef("pk"))
        .order_by("nights")
    )
    rows = (
        CalendarEntry.objects.filter(wanted, kind=EntryKind.STAY)
        .annotate(departs=F("nights__endswith"))
        .annotate(
            next_arrival=Subquery(following.values("nights__startswith")[:1]),
            next_guest=Subquery(following.values("guest_ref")[:1]),
        )
        .select_related("unit__property")
        .order_by("pk")
    )
    return [
        Neighbour(entry=row, next_arrival=row.next_arrival, next_guest=row.next_guest)
        for row in rows
    ]


def _holders() -> QuerySet[CalendarEntry]:
    return CalendarEntry.objects.filter(kind=EntryKind.STAY, has_conflict=False)
