"""Journeys 1 to 5: duplicates, a cancel before its create, orders, back-to-back, overbooking."""

from collections.abc import Callable
from datetime import date
from itertools import permutations

import pytest

from apps.events.models import Delivery, Event
from apps.fallback.models import DeadLetter
from apps.tenants.entering import TenantRef, entering
from tests.conftest import Api
from tests.journeys import stories
from tests.journeys.stories import cancelled, created, modified

JUNE = [date(2027, 6, day) for day in range(1, 31)]


@pytest.fixture
def api(acme: TenantRef, api_of: Callable[..., Api]) -> Api:
    stories.make_property(acme)
    return api_of(acme)


def test_one_vendor_delivery_21_times_has_one_set_of_effects(
    api: Api, acme: TenantRef, run_all: Callable[..., int]
) -> None:
    answers = []
    for _ in range(21):
        answers.append(api.post("events", created("A", "2027-06-01", "2027-06-04")).json())
        run_all()
    assert [a["accepted"] for a in answers] == [1] + [0] * 20
    assert [a["duplicates"] for a in answers] == [0] + [1] * 20
    assert stories.nights(acme) == [(JUNE[0], JUNE[3], False)]
    assert stories.cleans(acme) == [("seaview-101", "06-04 09:00", None)]
    assert stories.occupied(acme) == {"2027-06-01": 1, "2027-06-02": 1, "2027-06-03": 1}
    with entering(acme):
        assert sorted(Event.objects.values_list("type", flat=True)) == [
            "booking.created",
            "cleaning.task_created",
            "stay.scheduled",
        ]


def test_the_detail_shows_four_categories_at_work(
    api: Api, acme: TenantRef, run_all: Callable[..., int]
) -> None:
    uid = api.post("events", created("A", "2027-06-01", "2027-06-04")).json()["results"][0]["uid"]
    run_all()
    shown = api.get(f"events/{uid}").json()
    assert shown["state"] == "done"
    assert [(d["handler"], d["state"]) for d in shown["deliveries"]] == [
        ("bookings.record_booking", "done")
    ]
    assert [node["type"] for node in shown["causation_tree"]] == [
        "booking.created",
        "stay.scheduled",
        "cleaning.task_created",
    ]
    with entering(acme):
        assert set(Delivery.objects.values_list("category", "handler")) == {
            ("bookings", "bookings.record_booking"),
            ("housekeeping", "housekeeping.plan_turnover"),
            ("reporting", "reporting.count_stay"),
        }
    calendar = api.get("calendar", unit="seaview-101").json()["results"]
    assert [entry["nights"] for entry in calendar] == [["2027-06-01", "2027-06-02", "2027-06-03"]]


def test_a_cancel_before_its_create_leaves_nothing_but_the_record(
    api: Api, acme: TenantRef, run_all: Callable[..., int]
) -> None:
    api.post("events", cancelled("A", revision=2))
    run_all()
    api.post("events", created("A", "2027-06-01", "2027-06-04"))
    run_all()
    assert stories.end_state(acme) == {
        "bookings": [("A", "cancelled", "2")],
        "nights": [[], []],
        "cleans": [],
        "occupied": {},
    }
    assert stories.revisions(acme) == [("2", False), ("1", True)]
    assert stories.count(acme, "cleaning.task_created") == 0


@pytest.mark.parametrize("order", list(permutations((0, 1, 2))))
def test_three_revisions_in_any_order_end_the_same(
    api: Api, acme: TenantRef, run_all: Callable[..., int], order: tuple[int, ...]
) -> None:
    revisions = [
        created("A", "2027-06-01", "2027-06-04", revision=1),
        modified("A", "2027-06-02", "2027-06-06", revision=2),
        modified("A", "2027-06-02", "2027-06-05", revision=3, unit="seaview-102"),
    ]
    for index in order:
        api.post("events", revisions[index])
        run_all()
    assert stories.end_state(acme) == {
        "bookings": [("A", "confirmed", "3")],
        "nights": [[], [(JUNE[1], JUNE[4], False)]],
        "cleans": [("seaview-102", "06-05 09:00", None)],
        "occupied": {"2027-06-02": 1, "2027-06-03": 1, "2027-06-04": 1},
    }
    assert len(stories.revisions(acme)) == 3


def test_back_to_back_stays_have_no_conflict_and_one_clean_in_the_gap(
    api: Api, acme: TenantRef, run_all: Callable[..., int]
) -> None:
    api.post("events", created("B", "2027-06-04", "2027-06-06"))
    run_all()
    api.post("events", created("A", "2027-06-01", "2027-06-04"))
    run_all()
    assert stories.count(acme, "booking.conflict_detected") == 0
    assert stories.cleans(acme) == [
        ("seaview-101", "06-04 09:00", "06-04 14:00"),
        ("seaview-101", "06-06 09:00", None),
    ]


def test_a_later_neighbour_moves_the_clean_and_its_cancellation_moves_it_back(
    api: Api, acme: TenantRef, run_all: Callable[..., int]
) -> None:
    api.post("events", created("A", "2027-06-01", "2027-06-04"))
    run_all()
    api.post("events", created("B", "2027-06-08", "2027-06-10"))
    run_all()
    assert stories.cleans(acme)[0] == ("seaview-101", "06-04 09:00", "06-08 14:00")
    api.post("events", cancelled("B", revision=2))
    run_all()
    assert stories.cleans(acme) == [("seaview-101", "06-04 09:00", None)]


def test_overlapping_sales_are_both_kept_with_one_conflict_and_no_availability(
    api: Api, acme: TenantRef, run_all: Callable[..., int]
) -> None:
    api.post("events", created("A", "2027-06-01", "2027-06-04"))
    run_all()
    api.post("events", created("B", "2027-06-03", "2027-06-06", channel="airbnb"))
    run_all()
    assert stories.nights(acme) == [(JUNE[0], JUNE[3], False), (JUNE[2], JUNE[5], True)]
    with entering(acme):
        conflict = Event.objects.get(type="booking.conflict_detected")
    assert conflict.data == {
        "unit_id": "seaview-101",
        "nights": ["2027-06-03"],
        "bookings": ["A", "B"],
    }
    query = {"unit": "seaview-101", "from": "2027-06-01", "to": "2027-06-07"}
    shown = api.get("calendar/availability", **query).json()["results"][0]["nights"]
    assert shown == {f"2027-06-0{n}": int(n == 6) for n in range(1, 7)}
    api.post("events", cancelled("A", revision=2))
    run_all()
    assert stories.nights(acme) == [(JUNE[2], JUNE[5], False)]
    assert stories.cleans(acme) == [("seaview-101", "06-06 09:00", None)]


def test_an_unknown_property_goes_to_a_person_and_is_mended_by_a_retry(
    api: Api, acme: TenantRef, run_all: Callable[..., int]
) -> None:
    event = created("A", "2027-06-01", "2027-06-04", property_id="nowhere")
    uid = api.post("events", event).json()["results"][0]["uid"]
    run_all()
    with entering(acme):
        letter = DeadLetter.objects.get()
    assert (letter.reason, letter.error_class) == ("permanent", "UnknownProperty")
    assert "nowhere" in letter.message
    assert stories.nights(acme) == []
    assert api.get(f"events/{uid}").json()["state"] == "failed"


def test_a_booking_of_an_unmapped_room_is_kept_without_nights(
    api: Api, acme: TenantRef, run_all: Callable[..., int]
) -> None:
    api.post("events", created("A", "2027-06-01", "2027-06-04", unit=None))
    run_all()
    assert stories.end_state(acme)["bookings"] == [("A", "confirmed", "1")]
    assert stories.nights(acme) == []
    assert stories.occupied(acme)["2027-06-01"] == 1


def test_equal_bookings_of_two_tenants_never_meet(
    api: Api,
    acme: TenantRef,
    harbor: TenantRef,
    api_of: Callable[..., Api],
    run_all: Callable[..., int],
) -> None:
    stories.make_property(harbor)
    api.post("events", created("A", "2027-06-01", "2027-06-04"))
    api_of(harbor).post("events", created("A", "2027-06-10", "2027-06-12"))
    run_all()
    assert stories.nights(acme) == [(JUNE[0], JUNE[3], False)]
    assert stories.nights(harbor) == [(JUNE[9], JUNE[11], False)]
