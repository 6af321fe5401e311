"""`/api/v1/cleaning-tasks` over a socket."""

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
    run_all()
    return api_of(acme)


def test_cleans_are_listed_by_window_and_shown(
    api: Api, harbor: TenantRef, api_of: Callable[..., Api]
) -> None:
    cleans = api.get("cleaning-tasks").json()["results"]
    assert [clean["booking_ref"] for clean in cleans] == ["A", "B"]
    address = f"cleaning-tasks/{cleans[0]['id']}"
    assert api.get(address).json() == cleans[0]
    assert api_of(harbor).get(address).status_code == 404


def test_from_and_to_restrict_and_the_end_is_exclusive(api: Api) -> None:
    asked = {"from": "2027-06-03T00:00:00Z", "to": "2027-06-04T00:00:00Z"}
    assert [c["booking_ref"] for c in api.get("cleaning-tasks", **asked).json()["results"]] == ["A"]
    assert api.get("cleaning-tasks", unit="102").json()["results"][0]["booking_ref"] == "B"


def test_a_time_that_is_none_is_told_in_the_callers_words(api: Api) -> None:
    answer = api.get("cleaning-tasks", **{"from": "soon"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/from")
