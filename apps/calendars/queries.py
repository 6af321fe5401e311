"""What the calendar says about units and nights."""

from collections.abc import Iterator
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


def get_next_entry(unit_ref: str, *, on_or_after: date) -> CalendarEntry | None:
    """The first stay of a unit that arrives on a date or later."""
    return (
        CalendarEntry.objects.filter(unit__ref=unit_ref, nights__startswith__gte=on_or_after)
        .order_by("nights", "pk")
        .first()
    )


def get_previous_entry(unit_ref: str, *, on_or_before: date) -> CalendarEntry | None:
    """The last stay of a unit that leaves on a date or earlier."""
    return (
        CalendarEntry.objects.filter(unit__ref=unit_ref, nights__endswith__lte=on_or_before)
        .order_by("-nights", "-pk")
        .first()
    )
