"""What the calendar says about units and nights."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from django.db.models import QuerySet
from psycopg2.extras import DateRange

from apps.calendars.models import CalendarEntry


def get_entries(
    *, unit: str = "", property_: str = "", start: date | None = None, end: date | None = None
) -> QuerySet[CalendarEntry]:
    """The entries that touch [start, end), of a unit, a property or all; an open end is open."""
    entries = CalendarEntry.objects.select_related("unit")
    if unit:
        entries = entries.filter(unit__ref=unit)
    if property_:
        entries = entries.filter(unit__property__ref=property_)
    if start or end:
        entries = entries.filter(nights__overlap=DateRange(start, end))
    return entries


def nights_of(entry: CalendarEntry) -> Iterator[date]:
    """Each night of an entry."""
    for n in range((entry.nights.upper - entry.nights.lower).days):
        yield entry.nights.lower + timedelta(days=n)


def get_conflicting_stays(booking_refs: Iterable[str]) -> set[tuple[str, str, str]]:
    """Source, booking and stay of those stays of some bookings that are in conflict."""
    rows = CalendarEntry.objects.filter(booking_ref__in=list(booking_refs), has_conflict=True)
    return set(rows.values_list("source", "booking_ref", "ref"))
