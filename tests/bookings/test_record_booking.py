"""What a booking's revisions lead to: nights, and what is told about its stays."""

from collections.abc import Callable

from apps.bookings.models import Booking, BookingRevision, Stay
from apps.calendars.models import CalendarEntry
from apps.fallback.models import DeadLetter
from apps.tenants.entering import TenantRef, entering
from tests.bookings.facts import cancellation, make_units, state, stay, tell, told

Run = Callable[..., int]


def holds(tenant: TenantRef) -> list[tuple[str, str, int, int, bool]]:
    with entering(tenant):
        rows = CalendarEntry.objects.select_related("unit").order_by("booking_ref", "ref")
        return [
            (r.ref, r.unit.ref, r.nights.lower.day, r.nights.upper.day, r.has_conflict)
            for r in rows
        ]


def test_two_stays_that_swap_units_are_no_conflict(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101", "102")
    tell(acme, state("A", stay("1", "101", 1, 4), stay("2", "102", 1, 4)))
    swapped = (stay("1", "102", 1, 4), stay("2", "101", 1, 4))
    tell(acme, state("A", *swapped, revision=2, kind="booking.modified"))
    run_all()
    assert holds(acme) == [("1", "102", 1, 4, False), ("2", "101", 1, 4, False)]
    assert told(acme, "booking.conflict_detected") == []
    moved = [(e["stay_ref"], e.get("previous_unit_id")) for e in told(acme, "stay.scheduled")]
    assert moved == [("1", None), ("2", None), ("1", "101"), ("2", "102")]


def test_a_stay_that_leaves_a_conflict_is_shown_without_it(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101", "102")
    tell(acme, state("A", stay("1", "101", 1, 4)))
    tell(acme, state("B", stay("1", "101", 3, 6), source="airbnb"))
    run_all()
    tell(acme, state("B", stay("1", "102", 3, 6), source="airbnb", revision=2,
                     kind="booking.modified"))  # fmt: skip
    run_all()
    assert [e["has_conflict"] for e in told(acme, "stay.scheduled")] == [False, True, False]
    assert len(told(acme, "booking.conflict_detected")) == 1


def test_a_stay_still_in_conflict_says_so_again_and_no_second_conflict_is_told(
    acme: TenantRef, run_all: Run
) -> None:
    make_units(acme, "101")
    tell(acme, state("A", stay("1", "101", 1, 4)))
    tell(acme, state("B", stay("1", "101", 3, 6), source="airbnb"))
    run_all()
    tell(acme, state("B", stay("1", "101", 3, 6), source="airbnb", revision=2,
                     kind="booking.modified", guest_ref="guest-other"))  # fmt: skip
    run_all()
    assert [e["has_conflict"] for e in told(acme, "stay.scheduled")] == [False, True, True]
    assert len(told(acme, "booking.conflict_detected")) == 1


def test_a_total_in_another_currency_is_told(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    euros, francs = ({"amount_minor": 30000, "currency": c} for c in ("EUR", "CHF"))
    tell(acme, state("A", stay("1", "101", 1, 4), total=euros))
    tell(acme, state("A", stay("1", "101", 1, 4), revision=2, kind="booking.modified",
                     total=francs))  # fmt: skip
    run_all()
    assert [e["share"] for e in told(acme, "stay.scheduled")] == [euros, francs]


def test_an_unmapped_stay_that_changes_its_property_is_told(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    make_units(acme, "201", property="hill")
    tell(acme, state("A", stay("1", None, 1, 4)))
    tell(acme, state("A", stay("1", None, 1, 4), revision=2, kind="booking.modified",
                     property_id="hill"))  # fmt: skip
    run_all()
    assert [e["property_id"] for e in told(acme, "stay.scheduled")] == ["seaview", "hill"]


def test_a_stay_withdrawn_while_its_property_changes_names_the_old_one(
    acme: TenantRef, run_all: Run
) -> None:
    make_units(acme, "101")
    make_units(acme, "201", property="hill")
    tell(acme, state("A", stay("1", "101", 1, 4), stay("2", None, 1, 4)))
    tell(acme, state("A", stay("1", "201", 1, 4), revision=2, kind="booking.modified",
                     property_id="hill"))  # fmt: skip
    run_all()
    assert [(e["stay_ref"], e["property_id"]) for e in told(acme, "stay.withdrawn")] == [
        ("2", "seaview")
    ]


def test_a_change_that_touches_no_stay_tells_nothing(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    tell(acme, state("A", stay("1", "101", 1, 4)))
    more = {**stay("1", "101", 1, 4), "children": 2}
    tell(acme, state("A", more, revision=2, kind="booking.modified"))
    run_all()
    assert len(told(acme, "stay.scheduled")) == 1
    with entering(acme):
        assert Stay.objects.get().children == 2


def test_shares_add_up_to_the_total_by_nights(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101", "102")
    tell(acme, state("A", stay("1", "101", 1, 3), stay("2", "102", 1, 2),
                     total={"amount_minor": 100, "currency": "EUR"}))  # fmt: skip
    run_all()
    assert [e["share"]["amount_minor"] for e in told(acme, "stay.scheduled")] == [66, 34]


def test_statuses_that_do_not_block_hold_no_nights(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    for status in ("tentative", "inquiry", "request", "cancelled", "no_show"):
        tell(acme, state(status, stay("1", "101", 1, 4), status=status))
    run_all()
    assert holds(acme) == []
    assert told(acme, "stay.scheduled") == told(acme, "stay.withdrawn") == []
    with entering(acme):
        assert Booking.objects.count() == 5


def test_a_confirmed_booking_that_becomes_a_no_show_frees_its_nights(
    acme: TenantRef, run_all: Run
) -> None:
    make_units(acme, "101")
    tell(acme, state("A", stay("1", "101", 1, 4)))
    tell(acme, state("A", stay("1", "101", 1, 4), revision=2, kind="booking.modified",
                     status="no_show"))  # fmt: skip
    run_all()
    assert holds(acme) == []
    assert [e["unit_id"] for e in told(acme, "stay.withdrawn")] == ["101"]


def test_a_newer_modification_brings_a_cancelled_booking_back(
    acme: TenantRef, run_all: Run
) -> None:
    make_units(acme, "101")
    tell(acme, cancellation("A", revision=2))
    tell(acme, state("A", stay("1", "101", 1, 4), revision=3, kind="booking.modified"))
    tell(acme, state("A", stay("1", "101", 1, 4), revision=9, id="late"))
    run_all()
    assert holds(acme) == [("1", "101", 1, 4, False)]
    with entering(acme):
        assert Booking.objects.get().status == "confirmed"
        assert list(BookingRevision.objects.values_list("revision_ref", "is_stale")) == [
            ("2", False),
            ("3", False),
            ("9", True),
        ]


def test_a_stale_revision_of_an_unknown_unit_bothers_nobody(acme: TenantRef, run_all: Run) -> None:
    make_units(acme, "101")
    tell(acme, state("A", stay("1", "101", 1, 4), revision=5))
    tell(acme, state("A", stay("1", "gone", 1, 4), revision=3, id="old"))
    run_all()
    with entering(acme):
        assert DeadLetter.objects.count() == 0
        assert BookingRevision.objects.filter(is_stale=True).count() == 1


def test_an_unknown_property_is_refused_and_leaves_nothing(acme: TenantRef, run_all: Run) -> None:
    tell(acme, state("A", stay("1", None, 1, 4)))
    run_all()
    with entering(acme):
        letter = DeadLetter.objects.get()
        assert (letter.reason, letter.error_class) == ("permanent", "UnknownProperty")
        assert "'seaview'" in letter.message
        assert Booking.objects.count() + BookingRevision.objects.count() == 0


def test_a_unit_of_another_property_is_refused_and_leaves_what_was(
    acme: TenantRef, run_all: Run
) -> None:
    make_units(acme, "101")
    make_units(acme, "201", property="hill")
    tell(acme, state("A", stay("1", "101", 1, 4)))
    run_all()
    tell(acme, state("A", stay("1", "201", 1, 4), revision=2, kind="booking.modified"))
    run_all()
    with entering(acme):
        assert DeadLetter.objects.get().error_class == "UnknownUnit"
        assert BookingRevision.objects.count() == 1
    assert holds(acme) == [("1", "101", 1, 4, False)]


def test_equal_bookings_of_two_tenants_never_meet(
    acme: TenantRef, harbor: TenantRef, run_all: Run
) -> None:
    make_units(acme, "101")
    make_units(harbor, "101")
    tell(acme, state("A", stay("1", "101", 1, 4)))
    tell(harbor, state("A", stay("1", "101", 2, 6)))
    run_all()
    assert holds(acme) == [("1", "101", 1, 4, False)]
    assert holds(harbor) == [("1", "101", 2, 6, False)]
