"""Taking and releasing nights: both are kept when they overlap, the later is marked."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from psycopg2.extras import DateRange

from apps.calendars.models import CalendarEntry
from apps.calendars.operations import Conflict, Party, StayNights, Taken, take_nights
from apps.properties.models import Unit
from apps.tenants.entering import TenantRef, entering
from tests.bookings.facts import JUNE, make_units


def take(unit: Unit, ref: str, arrival: int, departure: int) -> Taken:
    """Take nights of June 2027 for the only stay of a booking."""
    stay = StayNights(
        unit=unit, arrival=date(2027, 6, arrival), departure=date(2027, 6, departure), ref="1"
    )
    return take_nights(Party(source="ota", booking_ref=ref), [stay])["1"]


def release(ref: str) -> None:
    take_nights(Party(source="ota", booking_ref=ref), [])


def entries() -> list[tuple[str, int, int, bool]]:
    rows = CalendarEntry.objects.order_by("booking_ref")
    return [(r.booking_ref, r.nights.lower.day, r.nights.upper.day, r.has_conflict) for r in rows]


def test_back_to_back_stays_do_not_conflict(acme: TenantRef) -> None:
    (unit,) = make_units(acme, "101")
    with entering(acme):
        assert take(unit, "A", 1, 4).conflict is None
        assert take(unit, "B", 4, 6).conflict is None
        assert entries() == [("A", 1, 4, False), ("B", 4, 6, False)]


def test_overlapping_stays_are_both_kept_and_the_later_is_marked(acme: TenantRef) -> None:
    (unit,) = make_units(acme, "101")
    with entering(acme):
        take(unit, "A", 1, 4)
        taken = take(unit, "B", 3, 6)
        assert taken.has_conflict
        assert taken.conflict == Conflict(unit="101", nights=(JUNE[2],), bookings=("A", "B"))
        assert entries() == [("A", 1, 4, False), ("B", 3, 6, True)]


def test_the_same_stay_taken_again_changes_nothing_and_is_no_new_conflict(acme: TenantRef) -> None:
    (unit,) = make_units(acme, "101")
    with entering(acme):
        take(unit, "A", 1, 4)
        take(unit, "B", 3, 6)
        before = list(CalendarEntry.objects.order_by("pk").values())
        again = take(unit, "B", 3, 6)
        assert (again.has_conflict, again.conflict) == (True, None)
        assert list(CalendarEntry.objects.order_by("pk").values()) == before


def test_a_stay_that_overlaps_only_a_marked_one_is_a_conflict_too(acme: TenantRef) -> None:
    (unit,) = make_units(acme, "101")
    with entering(acme):
        take(unit, "A", 1, 4)
        take(unit, "B", 3, 6)
        taken = take(unit, "C", 5, 8)
        assert taken.conflict == Conflict(unit="101", nights=(JUNE[4],), bookings=("B", "C"))
        release("A")
        assert entries() == [("B", 3, 6, False), ("C", 5, 8, True)]


def test_a_marked_stay_that_grows_tells_the_new_nights_only(acme: TenantRef) -> None:
    (unit,) = make_units(acme, "101")
    with entering(acme):
        take(unit, "A", 1, 4)
        take(unit, "D", 6, 9)
        take(unit, "B", 3, 5)
        assert take(unit, "B", 3, 6).conflict is None
        taken = take(unit, "B", 3, 8)
        assert taken.conflict == Conflict(
            unit="101", nights=(JUNE[5], JUNE[6]), bookings=("B", "D")
        )


def test_a_release_gives_the_nights_to_the_marked_stay_that_now_fits(acme: TenantRef) -> None:
    (unit,) = make_units(acme, "101")
    with entering(acme):
        take(unit, "A", 1, 4)
        take(unit, "B", 3, 6)
        release("A")
        assert entries() == [("B", 3, 6, False)]


def test_a_holder_that_grows_into_free_nights_still_holds(acme: TenantRef) -> None:
    (unit,) = make_units(acme, "101")
    with entering(acme):
        take(unit, "A", 1, 4)
        take(unit, "B", 3, 6)
        assert take(unit, "A", 1, 5) == Taken(
            has_conflict=False,
            conflict=Conflict(unit="101", nights=(JUNE[3],), bookings=("A", "B")),
        )
        assert entries() == [("A", 1, 5, False), ("B", 3, 6, True)]


def test_a_holder_that_shrinks_lets_the_marked_stay_hold(acme: TenantRef) -> None:
    (unit,) = make_units(acme, "101")
    with entering(acme):
        take(unit, "A", 1, 4)
        take(unit, "B", 3, 6)
        take(unit, "A", 1, 3)
        assert entries() == [("A", 1, 3, False), ("B", 3, 6, False)]


def test_a_holder_that_grows_into_a_held_night_is_the_later_one(acme: TenantRef) -> None:
    (unit,) = make_units(acme, "101")
    with entering(acme):
        take(unit, "A", 1, 4)
        take(unit, "B", 4, 6)
        assert take(unit, "A", 1, 5).has_conflict
        assert entries() == [("A", 1, 5, True), ("B", 4, 6, False)]


def test_stays_of_one_booking_that_swap_units_do_not_conflict(acme: TenantRef) -> None:
    first, second = make_units(acme, "101", "102")
    party = Party(source="ota", booking_ref="A")

    def stays(*units: Unit) -> list[StayNights]:
        return [
            StayNights(unit=unit, arrival=JUNE[0], departure=JUNE[3], ref=str(n))
            for n, unit in enumerate(units)
        ]

    with entering(acme):
        take_nights(party, stays(first, second))
        swapped = take_nights(party, stays(second, first))
        assert swapped == {"0": Taken(has_conflict=False), "1": Taken(has_conflict=False)}
        rows = CalendarEntry.objects.order_by("ref").values_list("unit__ref", "has_conflict")
        assert list(rows) == [("102", False), ("101", False)]


def test_two_stays_of_one_booking_in_one_unit_are_one_conflict(acme: TenantRef) -> None:
    (unit,) = make_units(acme, "101")
    stays = [
        StayNights(unit=unit, arrival=JUNE[0], departure=JUNE[1], ref=ref) for ref in ("1", "2")
    ]
    with entering(acme):
        taken = take_nights(Party(source="ota", booking_ref="A"), stays)
        assert [taken[ref].has_conflict for ref in ("1", "2")] == [False, True]
        assert taken["1"].conflict is None
        assert taken["2"].conflict == Conflict(unit="101", nights=(JUNE[0],), bookings=("A",))


def test_a_release_leaves_a_stay_marked_that_still_overlaps_another(acme: TenantRef) -> None:
    (unit,) = make_units(acme, "101")
    with entering(acme):
        take(unit, "A", 1, 4)
        take(unit, "B", 6, 9)
        take(unit, "C", 3, 7)
        release("A")
        assert entries() == [("B", 6, 9, False), ("C", 3, 7, True)]


def test_a_stay_that_moves_away_frees_its_old_unit(acme: TenantRef) -> None:
    first, second = make_units(acme, "101", "102")
    with entering(acme):
        take(first, "A", 1, 4)
        take(first, "B", 3, 6)
        take(second, "A", 1, 4)
        assert entries() == [("A", 1, 4, False), ("B", 3, 6, False)]


def test_releasing_what_holds_nothing_changes_nothing(acme: TenantRef) -> None:
    (unit,) = make_units(acme, "101")
    with entering(acme):
        take(unit, "A", 1, 4)
        release("Z")
        assert entries() == [("A", 1, 4, False)]


def test_the_database_itself_refuses_double_nights(acme: TenantRef) -> None:
    first, second = make_units(acme, "101", "102")
    nights = DateRange(JUNE[0], JUNE[3])
    with entering(acme):
        CalendarEntry.objects.create(unit=first, nights=nights, source="x", ref="1")
        CalendarEntry.objects.create(unit=second, nights=nights, source="x", ref="2")
        with pytest.raises(IntegrityError, match="no_double_nights"), transaction.atomic():
            CalendarEntry.objects.create(unit=first, nights=nights, source="x", ref="3")
        assert CalendarEntry.objects.count() == 2


def test_a_tenants_calendar_is_its_own(acme: TenantRef, harbor: TenantRef) -> None:
    (ours,), (theirs,) = make_units(acme, "101"), make_units(harbor, "101")
    with entering(acme):
        take(ours, "A", 1, 4)
    with entering(harbor):
        assert take(theirs, "B", 1, 4).conflict is None
        assert entries() == [("B", 1, 4, False)]
    with entering(acme):
        assert entries() == [("A", 1, 4, False)]
