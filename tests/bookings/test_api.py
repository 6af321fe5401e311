"""`/api/v1/bookings` over a socket, with the cleans and reports that follow from them."""

from collections.abc import Callable

import pytest

from apps.tenants.entering import TenantRef
from tests.bookings.facts import cancellation, make_units, state, stay, tell
from tests.conftest import Api

Run = Callable[..., int]


@pytest.fixture
def api(acme: TenantRef, run_all: Run, api_of: Callable[..., Api]) -> Api:
    make_units(acme, "101", "102")
    total = {"amount_minor": 30000, "currency": "EUR"}
    tell(acme, state("A", stay("1", "101", 1, 4), stay("2", "102", 8, 9), total=total))
    tell(acme, state("B", stay("1", "101", 3, 6), source="airbnb"))
    run_all()
    return api_of(acme)


def refs(api: Api, **asked: str) -> list[str]:
    return [booking["booking_ref"] for booking in api.get("bookings", **asked).json()["results"]]


def test_the_list_is_restricted_by_what_is_asked(api: Api) -> None:
    assert refs(api) == ["B", "A"]
    assert refs(api, channel="airbnb") == ["B"]
    assert refs(api, status="cancelled") == []
    assert refs(api, property="seaview") == ["B", "A"]
    assert refs(api, property="hill") == []
    assert refs(api, arrival_from="2027-06-03") == ["B", "A"]
    assert refs(api, arrival_from="2027-06-02", arrival_to="2027-06-08") == ["B"]


@pytest.mark.parametrize("asked", [{"status": "sold"}, {"arrival_from": "soon"}])
def test_a_filter_that_makes_no_sense_is_refused(api: Api, asked: dict[str, str]) -> None:
    assert api.get("bookings", **asked).status_code == 422


def test_the_detail_shows_stays_and_revisions(api: Api) -> None:
    shown = api.get("bookings/booking.com:A").json()
    assert shown["total"] == {"amount_minor": 30000, "currency": "EUR"}
    assert [s["unit_id"] for s in shown["stays"]] == ["101", "102"]
    assert [(r["number"], r["is_stale"]) for r in shown["revisions"]] == [(1, False)]
    assert api.get(f"bookings/{shown['id']}").json() == shown


def test_a_conflict_is_shown_until_the_other_booking_goes(
    api: Api, acme: TenantRef, run_all: Run
) -> None:
    assert api.get("bookings/airbnb:B").json()["stays"][0]["has_conflict"] is True
    tell(acme, cancellation("A", revision=2))
    run_all()
    assert api.get("bookings/airbnb:B").json()["stays"][0]["has_conflict"] is False


def test_the_cleans_and_figures_of_a_booking_are_shown(api: Api) -> None:
    cleans = api.get("cleaning-tasks", unit="102").json()["results"]
    assert [(c["window_start"], c["status"]) for c in cleans] == [
        ("2027-06-09T09:00:00Z", "planned")
    ]
    assert len(api.get("cleaning-tasks").json()["results"]) == 2
    asked = {"property": "seaview", "from": "2027-06-03", "to": "2027-06-04"}
    assert api.get("reports/occupancy", **asked).json()["results"] == [
        {
            "property_id": "seaview",
            "day": "2027-06-03",
            "occupied_units": 2,
            "arrivals": 1,
            "departures": 0,
            "revenue_minor": {"EUR": 7500},
        }
    ]


def test_another_tenant_sees_none_of_it(
    api: Api, harbor: TenantRef, api_of: Callable[..., Api]
) -> None:
    other = api_of(harbor)
    for path in ("bookings", "cleaning-tasks", "reports/occupancy"):
        assert other.get(path).json()["results"] == []
    assert other.get("bookings/booking.com:A").status_code == 404
