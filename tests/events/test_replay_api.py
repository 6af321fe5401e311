"""`POST /api/v1/replays`: a slip in the request replays nothing, least of all everything."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.dispatch.models import Arrival, Chore
from apps.events.models import Replay
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.conftest import Api


@pytest.fixture
def log(acme: TenantRef, run_all: Callable[..., int]) -> TenantRef:
    with entering(acme):
        publish_many([Envelope(id="1", source="test", type="custom.a", data={})])
    run_all()
    return acme


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/filter"),
        ({"dry_run": False}, "#/filter"),
        ({"filters": {"type": "custom.a"}}, "#/filters"),
        ({"filter": {"tpye": "custom.a"}}, "#/filter/tpye"),
        ({"filter": {"type": "not a type"}}, "#/filter/type"),
        ({"filter": {"type": 5}}, "#/filter/type"),
        ({"filter": {}, "handlers": []}, "#/handlers"),
        ({"filter": {}, "rate": 10**30}, "#/rate"),
        ({"filter": {}, "rate": "5"}, "#/rate"),
        ({"filter": {}, "rate": True}, "#/rate"),
        ({"filter": {}, "dry_run": "no"}, "#/dry_run"),
        ({"filter": {}, "include_external": "yes"}, "#/include_external"),
    ],
)
def test_a_slip_is_told_and_nothing_is_replayed(
    log: TenantRef, api_of: Callable[..., Api], body: dict[str, Any], pointer: str
) -> None:
    answer = api_of(log).post("replays", body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    with entering(log):
        assert not Replay.objects.exists()
    assert (Arrival.objects.count(), Chore.objects.count()) == (0, 0)


def test_no_body_at_all_replays_nothing(log: TenantRef, api_of: Callable[..., Api]) -> None:
    assert api_of(log).post("replays").status_code == 422
    with entering(log):
        assert not Replay.objects.exists()


def test_an_empty_filter_is_the_whole_log(log: TenantRef, api_of: Callable[..., Api]) -> None:
    answer = api_of(log).post("replays", {"filter": {}})
    assert (answer.status_code, answer.json()["total"]) == (201, 1)


@pytest.mark.parametrize("rate", ["0", str(10**30)])
def test_the_command_refuses_a_rate_that_cannot_be(log: TenantRef, rate: str) -> None:
    with pytest.raises(CommandError, match="from 1 to 100000"):
        call_command("replay_events", "--tenant", "acme", "--rate", rate)
    with entering(log):
        assert not Replay.objects.exists()
