"""`/api/v1/properties` and `/units` over a socket."""

from collections.abc import Callable

import pytest

from apps.properties.models import Property, Unit
from apps.tenants.entering import TenantRef, entering
from tests.bookings.facts import make_units
from tests.conftest import Api

SEAVIEW = {"id": "seaview", "name": "Seaview", "timezone": "Europe/Lisbon"}


@pytest.fixture
def api(acme: TenantRef, api_of: Callable[..., Api]) -> Api:
    return api_of(acme)


def test_a_property_is_made_with_the_usual_times(api: Api) -> None:
    answer = api.post("properties", SEAVIEW)
    assert answer.status_code == 201
    assert answer.json() == {
        **SEAVIEW, "check_in_time": "15:00:00", "check_out_time": "10:00:00",
    }  # fmt: skip
    assert api.get("properties/seaview").json() == answer.json()


def test_the_same_id_again_is_a_conflict(api: Api, acme: TenantRef) -> None:
    api.post("properties", SEAVIEW)
    answer = api.post("properties", {**SEAVIEW, "name": "Other"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (409, "#/id")
    with entering(acme):
        assert Property.objects.get().name == "Seaview"


def test_an_unknown_time_zone_is_refused(api: Api, acme: TenantRef) -> None:
    answer = api.post("properties", {**SEAVIEW, "timezone": "Mars/Olympus"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/timezone")
    with entering(acme):
        assert Property.objects.count() == 0


def test_a_change_touches_what_it_names(api: Api) -> None:
    api.post("properties", SEAVIEW)
    answer = api.patch("properties/seaview", {"check_in_time": "16:00"})
    assert answer.json() == {
        **SEAVIEW, "check_in_time": "16:00:00", "check_out_time": "10:00:00",
    }  # fmt: skip


def test_a_refused_change_changes_nothing(api: Api, acme: TenantRef) -> None:
    api.post("properties", SEAVIEW)
    answer = api.patch("properties/seaview", {"name": "New", "timezone": "Mars/Olympus"})
    assert answer.status_code == 422
    with entering(acme):
        assert Property.objects.get().name == "Seaview"


def test_units_are_made_changed_and_listed_by_property(api: Api, acme: TenantRef) -> None:
    make_units(acme, "201", property="hill")
    api.post("properties", SEAVIEW)
    body = {"id": "101", "property_id": "seaview", "name": "One", "unit_type": "flat"}
    assert api.post("units", body).json() == body
    assert api.patch("units/101", {"name": "Uno"}).json() == {**body, "name": "Uno"}
    assert [unit["id"] for unit in api.get("units").json()["results"]] == ["101", "201"]
    assert [u["id"] for u in api.get("units", property="hill").json()["results"]] == ["201"]


def test_a_unit_of_an_unknown_property_is_refused(api: Api, acme: TenantRef) -> None:
    answer = api.post("units", {"id": "101", "property_id": "none", "name": "One"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/property_id")
    with entering(acme):
        assert Unit.objects.count() == 0


def test_a_key_without_the_scope_reads_but_does_not_write(
    acme: TenantRef, api_of: Callable[..., Api]
) -> None:
    reader = api_of(acme, scopes=["events:read"])
    assert reader.post("properties", SEAVIEW).status_code == 403
    assert reader.get("properties").json()["results"] == []


def test_another_tenants_properties_are_not_there(
    api: Api, harbor: TenantRef, api_of: Callable[..., Api]
) -> None:
    api.post("properties", SEAVIEW)
    other = api_of(harbor)
    assert other.get("properties").json()["results"] == []
    assert other.get("properties/seaview").status_code == 404
    assert other.patch("properties/seaview", {"name": "Mine"}).status_code == 404
    assert api.get("properties/seaview").json()["name"] == "Seaview"
