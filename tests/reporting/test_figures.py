"""The daily figures: each stay counted once, taken back exactly, currencies apart."""

from collections.abc import Callable
from typing import Any

from apps.reporting.models import DailyFigure, DailyRevenue, StayFact
from apps.reporting.operations import Fact, set_fact
from apps.tenants.entering import TenantRef, entering
from tests.bookings.facts import JUNE, cancellation, make_units, state, stay, tell

Run = Callable[..., int]


def figures(tenant: TenantRef) -> dict[int, tuple[int, int, int]]:
    """Occupied units, arrivals and departures by day of June, where there are any."""
    with entering(tenant):
        rows = DailyFigure.objects.order_by("day")
        found = {r.day.day: (r.occupied_units, r.arrivals, r.departures) for r in rows}
    return {day: counts for day, counts in found.items() if any(counts)}


def revenue(tenant: TenantRef) -> dict[tuple[int, str], int]:
    """Minor units by day of June and currency, where there are any."""
    with entering(tenant):
        rows = DailyRevenue.objects.exclude(amount_minor=0)
        return {(r.day.day, r.currency): r.amount_minor for r in rows}


def euros(amount: int) -> dict[str, Any]:
    return {"amount_minor": amount, "currency": "EUR"}


def fact(arrival: int, departure: int, amount: int | None = None, currency: str = "") -> Fact:
    return Fact(
        property_ref="seaview", arrival=JUNE[arrival - 1], departure=JUNE[departure - 1],
        amount_minor=amount, currency=currency,
    )  # fmt: skip


def test_a_stay_counts_on_its_nights_its_arrival_and_its_departure(
    acme: TenantRef, run_all: Run
) -> None:
    make_units(acme, "101")
    tell(acme, state("A", stay("1", "101", 1, 4), total=euros(100)))
    run_all()
    assert figures(acme) == {1: (1, 1, 0), 2: (1, 0, 0), 3: (1, 0, 0), 4: (0, 0, 1)}
    assert revenue(acme) == {(1, "EUR"): 33, (2, "EUR"): 33, (3, "EUR"): 34}


def test_a_changed_stay_is_counted_where_it_is_now(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    tell(acme, state("A", stay("1", "101", 1, 4), total=euros(100)))
    tell(acme, state("A", stay("1", "101", 2, 3), total=euros(80), revision=2,
                     kind="booking.modified"))  # fmt: skip
    run_all()
    assert figures(acme) == {2: (1, 1, 0), 3: (0, 0, 1)}
    assert revenue(acme) == {(2, "EUR"): 80}


def test_a_cancelled_stay_leaves_nothing(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    tell(acme, state("A", stay("1", "101", 1, 4), total=euros(100)), cancellation("A", revision=2))
    run_all()
    assert figures(acme) == {}
    assert revenue(acme) == {}
    with entering(acme):
        assert StayFact.objects.count() == 0


def test_a_fact_set_twice_is_counted_once(acme: TenantRef) -> None:
    with entering(acme):
        for _ in range(2):
            set_fact("ota", "A", "1", fact(1, 2, 50, "EUR"))
    assert figures(acme) == {1: (1, 1, 0), 2: (0, 0, 1)}
    assert revenue(acme) == {(1, "EUR"): 50}


def test_currencies_are_never_added_up(acme: TenantRef) -> None:
    with entering(acme):
        set_fact("ota", "A", "1", fact(1, 2, 50, "EUR"))
        set_fact("ota", "B", "1", fact(1, 2, 5000, "JPY"))
        set_fact("ota", "B", "1", fact(1, 2, 40, "CHF"))
    assert revenue(acme) == {(1, "EUR"): 50, (1, "CHF"): 40}


def test_equal_stay_refs_of_two_bookings_are_two_stays(acme: TenantRef) -> None:
    with entering(acme):
        set_fact("ota", "A", "1", fact(1, 2))
        set_fact("ota", "B", "1", fact(1, 2))
    assert figures(acme) == {1: (2, 2, 0), 2: (0, 0, 2)}


def test_a_tenants_figures_are_its_own(acme: TenantRef, harbor: TenantRef) -> None:
    with entering(acme):
        set_fact("ota", "A", "1", fact(1, 2))
    with entering(harbor):
        set_fact("ota", "A", "1", fact(2, 3))
    assert figures(acme) == {1: (1, 1, 0), 2: (0, 0, 1)}
    assert figures(harbor) == {2: (1, 1, 0), 3: (0, 0, 1)}
