"""`/api/v1/dead-letters/bulk` for many, and what else a key may note about dead letters."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from apps.fallback.bulk import AT_ONCE, step_bulk_action
from apps.fallback.filters import UNASSIGNED
from apps.fallback.models import BulkAction, DeadLetter, Review
from apps.tenants.entering import TenantRef, entering
from tests.conftest import Api

Die = Callable[..., list[DeadLetter]]
MANY = [str(number) for number in range(AT_ONCE + 1)]
RETRY_ALL = {"action": "retry", "filter": {}, "note": "mended"}


@pytest.fixture
def api(acme: TenantRef, api_of: Callable[..., Api]) -> Api:
    return api_of(acme)


def states(tenant: TenantRef) -> list[str]:
    with entering(tenant):
        return list(DeadLetter.objects.values_list("state", flat=True).distinct())


def test_many_are_begun_and_followed_to_their_end(api: Api, acme: TenantRef, die: Die) -> None:
    die(acme, *MANY)
    answer = api.post("dead-letters/bulk", RETRY_ALL)
    begun = answer.json()
    status = f"/api/v1/dead-letters/bulk/{begun['id']}"
    assert (answer.status_code, answer.headers["Location"], begun["status"]) == (
        202, status, status,
    )  # fmt: skip
    assert (begun["state"], begun["matched"], begun["changed"], len(begun["sample"])) == (
        "running", len(MANY), 0, 10,
    )  # fmt: skip
    path = status.removeprefix("/api/v1/")
    assert api.get(path).json()["done"] == 0
    assert states(acme) == ["open"]
    with entering(acme):
        step_bulk_action(begun["id"], now=timezone.now())
    ended = api.get(path).json()
    assert (ended["state"], ended["total"], ended["done"], ended["skipped"], ended["actor"]) == (
        "done", len(MANY), len(MANY), 0, "api key test",
    )  # fmt: skip
    assert states(acme) == ["retrying"]


def test_a_dry_run_of_many_begins_nothing(api: Api, acme: TenantRef, die: Die) -> None:
    die(acme, *MANY)
    answer = api.post("dead-letters/bulk", {**RETRY_ALL, "dry_run": True})
    assert (answer.status_code, answer.json()["matched"]) == (200, len(MANY))
    with entering(acme):
        assert not BulkAction.objects.exists()
    assert states(acme) == ["open"]


def test_one_that_is_cancelled_decides_nothing_more(api: Api, acme: TenantRef, die: Die) -> None:
    die(acme, *MANY)
    path = f"dead-letters/bulk/{api.post('dead-letters/bulk', RETRY_ALL).json()['id']}"
    cancelled = api.post(f"{path}/cancel").json()
    assert (cancelled["state"], cancelled["done"], cancelled["stopped_because"]) == (
        "cancelled", 0, "cancelled by api key test",
    )  # fmt: skip
    again = api.post(f"{path}/cancel")
    assert (again.status_code, again.json()["detail"]) == (
        409, "This bulk action is cancelled: nothing was changed.",
    )  # fmt: skip
    assert states(acme) == ["open"]


def test_another_tenant_neither_follows_nor_stops_it(
    api: Api, acme: TenantRef, harbor: TenantRef, die: Die, api_of: Callable[..., Api]
) -> None:
    die(acme, *MANY)
    path = f"dead-letters/bulk/{api.post('dead-letters/bulk', RETRY_ALL).json()['id']}"
    stranger = api_of(harbor)
    assert stranger.get(path).status_code == 404
    assert stranger.post(f"{path}/cancel").status_code == 404
    assert stranger.post("dead-letters/bulk", RETRY_ALL).json()["matched"] == 0
    assert api.get(path).json()["state"] == "running"
    blind = api_of(acme, scopes=["events:read"])
    assert blind.get(path).status_code == 403
    assert blind.post(f"{path}/cancel").status_code == 403
    assert api.get(path).json()["state"] == "running"


def test_a_dead_letter_is_assigned_and_found_by_its_assignee(
    api: Api, acme: TenantRef, harbor: TenantRef, die: Die
) -> None:
    letter, other = die(acme, "1", "2")
    with entering(acme):
        get_user_model().objects.create_user("bob")
    with entering(harbor):
        get_user_model().objects.create_user("eve")
    here = f"dead-letters/{letter.pk}"
    assert api.post(f"{here}/assign", {"assignee": "bob"}).status_code == 200
    mine = api.get("dead-letters", assignee="bob").json()["results"]
    assert [(row["id"], row["assignee"]) for row in mine] == [(str(letter.pk), "bob")]
    nobodys = api.get("dead-letters", assignee=UNASSIGNED).json()["results"]
    assert [row["id"] for row in nobodys] == [str(other.pk)]
    stranger = api.post(f"{here}/assign", {"assignee": "eve"})
    assert (stranger.status_code, stranger.json()["errors"][0]["pointer"]) == (422, "#/assignee")
    assert api.get(here).json()["assignee"] == "bob"
    api.post(f"{here}/assign", {"assignee": None})
    shown = api.get(here).json()
    assert shown["assignee"] is None
    assert [(r["action"], r["note"]) for r in shown["reviews"]] == [
        ("assign", "to bob"),
        ("assign", "to nobody"),
    ]


def test_a_comment_is_kept_also_with_what_is_decided(api: Api, acme: TenantRef, die: Die) -> None:
    letter = die(acme, "1")[0]
    here = f"dead-letters/{letter.pk}"
    api.post(f"{here}/discard", {"note": "a test"})
    assert api.post(f"{here}/comment", {"note": "see the mail"}).json()["state"] == "discarded"
    assert api.post(f"{here}/assign", {"assignee": None}).status_code == 409
    assert [r["action"] for r in api.get(here).json()["reviews"]] == ["discard", "comment"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"action": "assign", "filter": {}}, "#/assignee"),
        ({"action": "assign", "filter": {}, "assignee": "eve"}, "#/assignee"),
        ({"action": "retry", "filter": {}, "assignee": "eve"}, "#/assignee"),
        ({"action": "comment", "filter": {}}, "#/note"),
        ({"action": "retry", "filter": {"event": "x"}}, "#/filter/event"),
        ({"action": "retry", "filter": {"search": 7}}, "#/filter/search"),
    ],
)
def test_a_bulk_call_that_is_not_understood_does_nothing(
    api: Api, acme: TenantRef, die: Die, body: dict[str, Any], pointer: str
) -> None:
    die(acme, "1")
    answer = api.post("dead-letters/bulk", body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    with entering(acme):
        assert Review.objects.count() == 0
    assert states(acme) == ["open"]
