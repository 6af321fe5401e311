"""`/api/v1/calendar` over a socket."""

from collections.abc import Callable

import pytest

from apps.tenants.entering import TenantRef
from tests.bookings.facts import make_units, state, stay, tell
from tests.conftest import Api

Run = Callable[..., int]


@pytest.fixture
def api(acme: TenantRef, run_all: Run, api_of: Callable[..., Api]) -> Api:
    make_units(acme, "101", "102")
    tell(acme, state("A", stay("1", "101", 1, 3)), state("B", stay("1", "102", 2, 4)))
    tell(acme, state("C", stay("1", "101", 2, 4), source="airbnb"))
    run_all()
    return api_of(acme)


def test_an_entry_lists_its_nights_and_where_it_was_sold(api: Api) -> None:
    assert api.get("calendar", unit="102").json()["results"] == [
        {
            "unit_id": "102",
            "kind": "stay",
            "start": "2027-06-02",
            "end": "2027-06-04",
            "nights": ["2027-06-02", "2027-06-03"],
            "ref": "1",
            "booking_ref": "B",
            "source": "booking.com",
            "channel": "booking.com",
            "has_conflict": False,
        }
    ]


def test_the_calendar_comes_in_pages_each_entry_once(api: Api) -> None:
    seen = []
    page = api.get("calendar", limit=1).json()
    while True:
        seen += [entry["booking_ref"] for entry in page["results"]]
        if not page["next"]:
            break
        page = api.get("calendar?" + page["next"].partition("?")[2]).json()
    assert seen == ["A", "C", "B"]


def test_dates_restrict_and_their_end_is_exclusive(api: Api) -> None:
    found = api.get("calendar", **{"from": "2027-06-01", "to": "2027-06-02"}).json()["results"]
    assert [entry["booking_ref"] for entry in found] == ["A"]


def test_a_night_sold_twice_is_not_available(api: Api) -> None:
    asked = {"unit": "101", "from": "2027-06-01", "to": "2027-06-05"}
    assert api.get("calendar/availability", **asked).json()["results"] == [
        {
            "unit_id": "101",
            "nights": {"2027-06-01": 0, "2027-06-02": 0, "2027-06-03": 0, "2027-06-04": 1},
        }
    ]


@pytest.mark.parametrize("asked", [{"from": "soon"}, {"from": "2027-06-02", "to": "2027-06-02"}])
def test_dates_that_make_no_sense_are_refused(api: Api, asked: dict[str, str]) -> None:
    assert api.get("calendar", **asked).status_code == 422


def test_another_tenant_sees_none_of_it(
    api: Api, harbor: TenantRef, api_of: Callable[..., Api]
) -> None:
    assert api_of(harbor).get("calendar").json()["results"] == []


def test_availability_comes_in_pages_of_units(api: Api) -> None:
    asked = {"from": "2027-06-01", "to": "2027-06-03", "limit": 1}
    first = api.get("calendar/availability", **asked).json()
    assert [unit["unit_id"] for unit in first["results"]] == ["101"]
    rest = api.get("calendar/availability?" + first["next"].partition("?")[2]).json()
    assert rest["results"] == [{"unit_id": "102", "nights": {"2027-06-01": 1, "2027-06-02": 0}}]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"from": "soon"}, "#/from"),
        ({"to": "soon"}, "#/to"),
        ({"to": "2000-01-01"}, "#/to"),
        ({"from": "2027-01-01", "to": "2029-01-01"}, "#/to"),
        ({"from": "9999-12-31"}, "#/to"),
    ],
)
def test_what_is_wrong_with_dates_is_told_in_the_callers_words(
    api: Api, asked: dict[str, str], pointer: str
) -> None:
    answer = api.get("calendar/availability", **asked)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
