"""One clean in each gap, whatever happens to the stays around it and in whatever order."""

import random
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from apps.calendars.models import CalendarEntry
from apps.engine import router, working
from apps.housekeeping.models import CleaningTask, TaskStatus
from apps.housekeeping.operations import StayKey, replan_turnovers
from apps.properties.models import Property, Unit
from apps.tenants.entering import TenantRef, entering
from pms_events.catalogue.bookings import StayScheduled, StayWithdrawn
from tests.bookings.facts import cancellation, make_units, state, stay, tell, told

Run = Callable[..., int]
Clean = tuple[str, str, str, str | None, bool]


def cleans(tenant: TenantRef) -> list[Clean]:
    """Booking, unit, window and urgency of each planned clean; times are UTC."""
    with entering(tenant):
        rows = CleaningTask.objects.filter(status=TaskStatus.PLANNED).select_related("unit")
        return [
            (
                task.booking_ref,
                task.unit.ref,
                f"{task.window_start:%d %H:%M}",
                f"{task.window_end:%d %H:%M}" if task.window_end else None,
                task.is_same_day,
            )
            for task in rows.order_by("unit__ref", "window_start", "booking_ref")
        ]


def expected(tenant: TenantRef) -> list[Clean]:
    """The same by brute force over the whole calendar (Lisbon in June is an hour ahead)."""
    with entering(tenant):
        holders = list(
            CalendarEntry.objects.filter(has_conflict=False)
            .select_related("unit")
            .order_by("unit__ref", "nights")
        )
    found = []
    for entry in holders:
        after = [
            e for e in holders if e.unit == entry.unit and e.nights.lower >= entry.nights.upper
        ]
        following = after[0] if after else None
        same_day = following is not None and following.nights.lower == entry.nights.upper
        if following and same_day and following.guest_ref == entry.guest_ref:
            continue
        end = f"{following.nights.lower:%d} 14:00" if following else None
        start = f"{entry.nights.upper:%d} 09:00"
        found.append((entry.booking_ref, entry.unit.ref, start, end, same_day))
    return found


def modified(ref: str, *stays: dict[str, Any], revision: int, **more: Any) -> Any:
    return state(ref, *stays, revision=revision, kind="booking.modified", **more)


def counts(tenant: TenantRef) -> tuple[int, int, int]:
    """How many cleans were told as created, moved, cancelled."""
    created, moved, called_off = (
        len(told(tenant, f"cleaning.task_{what}")) for what in ("created", "moved", "cancelled")
    )
    return created, moved, called_off


def test_the_window_ends_with_the_next_check_in(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    tell(acme, state("A", stay("1", "101", 1, 4)), state("B", stay("1", "101", 8, 9)))
    run_all()
    assert cleans(acme) == [
        ("A", "101", "04 09:00", "08 14:00", False),
        ("B", "101", "09 09:00", None, False),
    ]


def test_a_late_booking_in_the_gap_shortens_the_window(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    tell(acme, state("A", stay("1", "101", 1, 4)), state("B", stay("1", "101", 8, 9)))
    run_all()
    tell(acme, state("C", stay("1", "101", 4, 6)))
    run_all()
    assert cleans(acme) == [
        ("A", "101", "04 09:00", "04 14:00", True),
        ("C", "101", "06 09:00", "08 14:00", False),
        ("B", "101", "09 09:00", None, False),
    ]


def test_a_cancelled_stay_widens_the_window_before_it(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    tell(acme, state("A", stay("1", "101", 1, 4)), state("B", stay("1", "101", 4, 6)))
    run_all()
    tell(acme, cancellation("B", revision=2))
    run_all()
    assert cleans(acme) == [("A", "101", "04 09:00", None, False)]
    assert [e["stay_ref"] for e in told(acme, "cleaning.task_cancelled")] == ["1"]


def test_the_same_guest_staying_on_needs_no_turnover(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    tell(acme, state("A", stay("1", "101", 1, 4), guest_ref="g"))
    tell(acme, state("B", stay("1", "101", 4, 6), guest_ref="g"))
    run_all()
    assert cleans(acme) == [("B", "101", "06 09:00", None, False)]


@pytest.mark.parametrize("now_at", [("102", 4, 7), ("101", 20, 22)])
def test_the_middle_of_one_guests_three_stays_moving_away_brings_a_turnover(
    acme: TenantRef, run_all: Run, now_at: tuple[str, int, int]
) -> None:
    make_units(acme, "101", "102")
    for ref, (arrival, departure) in {"A": (1, 4), "B": (4, 7), "C": (7, 9)}.items():
        tell(acme, state(ref, stay("1", "101", arrival, departure), guest_ref="g"))
    run_all()
    assert cleans(acme) == [("C", "101", "09 09:00", None, False)]
    tell(acme, modified("B", stay("1", *now_at), revision=2, guest_ref="g"))
    run_all()
    assert ("A", "101", "04 09:00", "07 14:00", False) in cleans(acme)
    assert cleans(acme) == expected(acme)


def test_a_stay_moved_to_another_unit_takes_its_clean_along(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101", "102")
    tell(acme, state("A", stay("1", "101", 1, 4)))
    run_all()
    tell(acme, modified("A", stay("1", "102", 1, 4), revision=2))
    run_all()
    assert cleans(acme) == [("A", "102", "04 09:00", None, False)]
    assert counts(acme) == (1, 1, 0)


def test_a_stay_in_conflict_gets_its_clean_when_it_holds_the_nights(
    acme: TenantRef, run_all: Run
) -> None:
    make_units(acme, "101")
    tell(acme, state("A", stay("1", "101", 1, 4)), state("B", stay("1", "101", 3, 6)))
    run_all()
    assert cleans(acme) == [("A", "101", "04 09:00", None, False)]
    tell(acme, cancellation("A", revision=2))
    run_all()
    assert cleans(acme) == [("B", "101", "06 09:00", None, False)]


def test_a_change_that_moves_no_window_tells_nothing(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    tell(acme, state("A", stay("1", "101", 1, 4)))
    run_all()
    money = {"amount_minor": 100, "currency": "EUR"}
    tell(acme, modified("A", stay("1", "101", 1, 4), revision=2, total=money))
    run_all()
    assert counts(acme) == (1, 0, 0)


def test_a_stay_without_a_unit_has_no_clean(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    tell(acme, state("A", stay("1", None, 1, 4)))
    run_all()
    assert cleans(acme) == []


def test_the_window_follows_the_clocks_of_the_departure_day(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    days = {"arrival": "2027-03-27", "departure": "2027-03-28"}
    later = {"arrival": "2027-10-30", "departure": "2027-10-31"}
    tell(acme, state("A", stay("1", "101", 1, 2) | days))
    tell(acme, state("B", stay("1", "101", 1, 2) | later))
    run_all()
    assert cleans(acme) == [
        ("A", "101", "28 09:00", "30 14:00", False),
        ("B", "101", "31 10:00", None, False),
    ]


def replan(event: StayScheduled | StayWithdrawn) -> None:
    key = StayKey(
        source=event.booking_source, booking_ref=event.booking_ref, stay_ref=event.stay_ref
    )
    replan_turnovers(key, unit=event.unit_id, arrival=event.arrival, departure=event.departure)


def test_stays_reported_in_any_order_lead_to_the_same_cleans(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    tell(acme, *[state(ref, stay("1", "101", *days)) for ref, days in
                 {"A": (1, 4), "B": (4, 6), "C": (8, 9), "D": (5, 7)}.items()])  # fmt: skip
    router.route()
    working.work("bookings")
    events = [StayScheduled(**data) for data in told(acme, "stay.scheduled")]
    assert len(events) == 4
    for order in permutations(events):
        with entering(acme):
            CleaningTask.objects.all().delete()
            for event in order:
                replan(event)
        assert cleans(acme) == expected(acme)


@pytest.mark.parametrize("seed", range(12))
def test_however_the_work_falls_each_gap_ends_with_one_clean(
    acme: TenantRef, run_all: Run, seed: int
) -> None:
    """Bookings run ahead of housekeeping by chance; the cleans end as the calendar has it."""
    chance = random.Random(seed)
    make_units(acme, "101", "102")
    for n in range(2, 40):
        ref = chance.choice("ABCDE")
        arrival = chance.randint(1, 18)
        if chance.random() < 0.2:
            tell(acme, cancellation(ref, revision=n))
        else:
            unit = chance.choice(["101", "101", "102", None])
            nights = stay("1", unit, arrival, arrival + chance.randint(1, 5))
            tell(acme, modified(ref, nights, revision=n, guest_ref=chance.choice("gh")))
        router.route()
        for category in ("bookings", "housekeeping"):
            if chance.random() < 0.5:
                working.work(category)
                router.route()
    run_all()
    assert cleans(acme) == expected(acme)


def test_another_tenants_stays_do_not_matter(
    acme: TenantRef, harbor: TenantRef, run_all: Run
) -> None:
    make_units(acme, "101")
    make_units(harbor, "101")
    tell(acme, state("A", stay("1", "101", 1, 4)))
    tell(harbor, state("B", stay("1", "101", 4, 6)))
    run_all()
    assert cleans(acme) == [("A", "101", "04 09:00", None, False)]
    assert cleans(harbor) == [("B", "101", "06 09:00", None, False)]
    with entering(acme):
        assert (Property.objects.count(), Unit.objects.count()) == (1, 1)
