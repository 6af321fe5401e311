"""Keeping the figures: the old fact of a stay out, the new one in, in one transaction."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection, transaction

from apps.reporting.models import StayFact

# One at a time in a tenant: a batch's runs share a transaction and touch the sums in the batch's
# order, so two workers would lock each other out. It also guards a stay's very first fact.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('reporting'), hashtext(current_schema()))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What a stay contributes: its nights [arrival, departure), its amount in minor units."""

    property_ref: str
    arrival: date
    departure: date
    amount_minor: int | None
    currency: str


def set_fact(source: str, booking_ref: str, stay_ref: str, fact: Fact | None) -> None:
    """Make a stay count as `fact` says, None for not at all. Doing it twice changes nothing."""
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute(_LOCK)
        _replace_fact(source, booking_ref, stay_ref, fact)


def _replace_fact(source: str, booking_ref: str, stay_ref: str, fact: Fact | None) -> None:
    key = {"source": source, "booking_ref": booking_ref, "stay_ref": stay_ref}
    row = StayFact.objects.filter(**key).first()
    before = (
        Fact(
            property_ref=row.property_ref,
            arrival=row.arrival,
            departure=row.departure,
            amount_minor=row.amount_minor,
            currency=row.currency,
        )
        if row
        else None
    )
    if before == fact:
        return
    changes: dict[tuple[str, date], list[int]] = {}
    revenue: dict[tuple[str, date, str], int] = {}
    for sign, counted in ((-1, before), (1, fact)):
        if counted is not None:
            _count(counted, sign, changes, revenue)
    _add_figures(changes)
    _add_revenue(revenue)
    if fact is None:
        StayFact.objects.filter(**key).delete()
        return
    StayFact.objects.update_or_create(
        source=source,
        booking_ref=booking_ref,
        stay_ref=stay_ref,
        defaults={
            "property_ref": fact.property_ref,
            "arrival": fact.arrival,
            "departure": fact.departure,
            "amount_minor": fact.amount_minor,
            "currency": fact.currency,
        },
    )


def _count(
    fact: Fact,
    sign: int,
    changes: dict[tuple[str, date], list[int]],
    revenue: dict[tuple[str, date, str], int],
) -> None:
    nights = (fact.departure - fact.arrival).days
    for n in range(nights):
        day = fact.arrival + timedelta(days=n)
        changes.setdefault((fact.property_ref, day), [0, 0, 0])[0] += sign
        if fact.amount_minor is not None:
            share = fact.amount_minor // nights
            if n == nights - 1:
                share = fact.amount_minor - share * (nights - 1)
            key = (fact.property_ref, day, fact.currency)
            revenue[key] = revenue.get(key, 0) + sign * share
    changes.setdefault((fact.property_ref, fact.arrival), [0, 0, 0])[1] += sign
    changes.setdefault((fact.property_ref, fact.departure), [0, 0, 0])[2] += sign


_FIGURES = """INSERT INTO reporting_dailyfigure AS f
    (property_ref, day, occupied_units, arrivals, departures)
SELECT * FROM unnest(%s::text[], %s::date[], %s::int[], %s::int[], %s::int[])
ON CONFLICT (property_ref, day) DO UPDATE SET
    occupied_units = f.occupied_units + EXCLUDED.occupied_units,
    arrivals = f.arrivals + EXCLUDED.arrivals, departures = f.departures + EXCLUDED.departures"""

_REVENUE = """INSERT INTO reporting_dailyrevenue AS r (property_ref, day, currency, amount_minor)
SELECT * FROM unnest(%s::text[], %s::date[], %s::text[], %s::bigint[])
ON CONFLICT (property_ref, day, currency) DO UPDATE SET
    amount_minor = r.amount_minor + EXCLUDED.amount_minor"""


def _add_figures(changes: dict[tuple[str, date], list[int]]) -> None:
    rows = [(*key, *counts) for key, counts in sorted(changes.items()) if any(counts)]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_FIGURES, [list(column) for column in zip(*rows, strict=True)])


def _add_revenue(revenue: dict[tuple[str, date, str], int]) -> None:
    rows = [(*key, amount) for key, amount in sorted(revenue.items()) if amount]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_REVENUE, [list(column) for column in zip(*rows, strict=True)])
