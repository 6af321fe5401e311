"""`/api/v1/dead-letters` over a socket: what a key may see and decide, and what it may not."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from apps.dispatch.models import Arrival, PendingDelivery
from apps.events.models import Event
from apps.fallback.models import DeadLetter, Review
from apps.tenants.entering import TenantRef, entering
from tests.conftest import Api
from tests.fallback.conftest import booking

Die = Callable[..., list[DeadLetter]]
SENTENCE = (
    "Could not record booking 1: there is no property 'nowhere': create it and retry, or correct "
    "property_id"
)


@pytest.fixture
def api(acme: TenantRef, api_of: Callable[..., Api]) -> Api:
    return api_of(acme)


def state_of(tenant: TenantRef) -> tuple[list[str], int, int, int]:
    """What a refused call must leave as it was: states, reviews, owed deliveries, events."""
    with entering(tenant):
        states = list(DeadLetter.objects.order_by("delivery_id").values_list("state", flat=True))
        owed = PendingDelivery.objects.count() + Arrival.objects.count()
        return states, Review.objects.count(), owed, Event.objects.count()


def test_the_list_shows_open_ones_newest_first_in_pages(
    api: Api, acme: TenantRef, die: Die
) -> None:
    letters = die(acme, "1", "2", "3")
    first = api.get("dead-letters?limit=2").json()
    assert len(first["results"]) == 2
    assert first["previous"] is None
    cursor = first["next"].split("cursor=")[1].split("&")[0]
    second = api.get(f"dead-letters?limit=2&cursor={cursor}").json()
    shown = [row["id"] for row in first["results"] + second["results"]]
    assert sorted(shown) == sorted(str(d.pk) for d in letters)
    assert second["next"] is None
    died = [row["died_at"] for row in first["results"] + second["results"]]
    assert died == sorted(died, reverse=True)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("reason=permanent", 2),
        ("reason=poison", 0),
        ("handler=bookings.record_booking", 2),
        ("handler=nobody.nothing", 0),
        ("category=bookings", 2),
        ("category=devices", 0),
        ("type=booking.*", 2),
        ("type=booking.modified", 0),
        ("state=discarded", 0),
        ("state=all", 2),
        ("since=2000-01-01T00:00:00Z", 2),
        ("until=2000-01-01T00:00:00Z", 0),
        ("fingerprint=nothing", 0),
    ],
)
def test_the_list_is_filtered(
    api: Api, acme: TenantRef, harbor: TenantRef, die: Die, query: str, count: int
) -> None:
    die(acme, "1", "2")
    die(harbor, "3")
    assert len(api.get(f"dead-letters?{query}").json()["results"]) == count


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("state=broken", "#/state"),
        ("type=no spaces", "#/type"),
        ("since=soon", "#/since"),
        ("reason=bad", "#/reason"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(api: Api, query: str, pointer: str) -> None:
    answer = api.get(f"dead-letters?{query}")
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_the_detail_tells_everything(api: Api, acme: TenantRef, die: Die) -> None:
    letter = die(acme, "1")[0]
    shown = api.get(f"dead-letters/{letter.pk}").json()
    assert (shown["sentence"], shown["reason"], shown["state"]) == (SENTENCE, "permanent", "open")
    assert shown["data"] == booking("1")
    assert (shown["error_class"], shown["waiting_behind"]) == ("UnknownProperty", 0)
    assert "UnknownProperty" in shown["traceback"]
    assert [(a["number"], a["verdict"]) for a in shown["attempts"]] == [(1, "dead")]
    assert (shown["reviews"], shown["correction_uid"]) == ([], None)
    assert shown["retry_outlook"].startswith("Runs bookings.record_booking again, with up to 8")
    assert shown["links"] == {
        "event": f"/api/v1/events/{letter.event_uid}",
        "correction": None,
        "retry": f"/api/v1/dead-letters/{letter.pk}/retry",
        "discard": f"/api/v1/dead-letters/{letter.pk}/discard",
        "assign": f"/api/v1/dead-letters/{letter.pk}/assign",
        "comment": f"/api/v1/dead-letters/{letter.pk}/comment",
    }


def test_a_retry_is_taken_once(api: Api, acme: TenantRef, die: Die) -> None:
    letter = die(acme, "1")[0]
    answer = api.post(f"dead-letters/{letter.pk}/retry", {"note": "again"})
    assert answer.json() == {"id": str(letter.pk), "state": "retrying", "event_uid": None}
    after = state_of(acme)
    again = api.post(f"dead-letters/{letter.pk}/retry", {})
    assert again.status_code == 409
    assert again.headers["Content-Type"] == "application/problem+json"
    assert "already being retried (by api key test)" in again.json()["detail"]
    assert state_of(acme) == after == (["retrying"], 1, 1, 1)


def test_a_correction_answers_the_new_event(
    api: Api,
    acme: TenantRef,
    die: Die,
    build: Callable[..., None],
    run_all: Callable[..., int],
) -> None:
    letter = die(acme, "1")[0]
    build(acme, "seaview")
    fixed = booking("1", property_id="seaview")
    answer = api.post(f"dead-letters/{letter.pk}/retry", {"data": fixed, "note": "typo"})
    assert (answer.status_code, answer.json()["state"]) == (200, "corrected")
    run_all()
    event = api.get(f"events/{answer.json()['event_uid']}").json()
    assert (event["state"], event["causation"], event["data"]) == (
        "done",
        str(letter.event_uid),
        fixed,
    )
    review = api.get(f"dead-letters/{letter.pk}").json()["reviews"][0]
    assert (review["action"], review["actor"], review["note"]) == (
        "correct",
        "api key test",
        "typo",
    )
    assert review["diff"] == [{"pointer": "/property_id", "before": "nowhere", "after": "seaview"}]


def test_a_wrong_correction_points_at_the_field_and_changes_nothing(
    api: Api, acme: TenantRef, die: Die
) -> None:
    letter = die(acme, "1")[0]
    wrong = booking("1")
    wrong["stays"] = [{**wrong["stays"][0], "arrival": "soon"}]
    answer = api.post(f"dead-letters/{letter.pk}/retry", {"data": wrong})
    assert answer.status_code == 422
    assert [e["pointer"] for e in answer.json()["errors"]] == ["#/data/stays/0/arrival"]
    assert state_of(acme) == (["open"], 0, 0, 1)


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("retry", {"daat": {}}, "#/daat"),
        ("retry", {"note": 7}, "#/note"),
        ("discard", {}, "#/note"),
        ("discard", {"note": "  "}, "#/note"),
        ("discard", {"note": True}, "#/note"),
    ],
)
def test_a_body_that_is_not_understood_does_nothing(
    api: Api, acme: TenantRef, die: Die, path: str, body: dict[str, Any], pointer: str
) -> None:
    letter = die(acme, "1")[0]
    answer = api.post(f"dead-letters/{letter.pk}/{path}", body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert state_of(acme) == (["open"], 0, 0, 1)


def test_a_discard_keeps_the_reason(api: Api, acme: TenantRef, die: Die) -> None:
    letter = die(acme, "1")[0]
    answer = api.post(f"dead-letters/{letter.pk}/discard", {"note": "a test booking"})
    assert answer.json()["state"] == "discarded"
    shown = api.get(f"dead-letters/{letter.pk}").json()
    assert (shown["note"], shown["decided_by"]) == ("a test booking", "api key test")
    assert api.post(f"dead-letters/{letter.pk}/discard", {"note": "x"}).status_code == 409


def test_another_tenant_sees_and_decides_nothing(
    acme: TenantRef, harbor: TenantRef, die: Die, api_of: Callable[..., Api]
) -> None:
    letter = die(acme, "1")[0]
    stranger = api_of(harbor)
    assert stranger.get("dead-letters?state=all").json()["results"] == []
    assert stranger.get("dead-letters/groups").json()["results"] == []
    for pk in (letter.pk, uuid4()):
        assert stranger.get(f"dead-letters/{pk}").status_code == 404
        assert stranger.post(f"dead-letters/{pk}/retry", {}).status_code == 404
        assert stranger.post(f"dead-letters/{pk}/discard", {"note": "x"}).status_code == 404
    bulk = {"action": "discard", "ids": [str(letter.pk)], "note": "x"}
    assert stranger.post("dead-letters/bulk", bulk).json()["changed"] == 0
    assert state_of(acme) == (["open"], 0, 0, 1)


def test_a_key_without_the_scope_neither_looks_nor_decides(
    acme: TenantRef, die: Die, api_of: Callable[..., Api]
) -> None:
    letter = die(acme, "1")[0]
    api = api_of(acme, scopes=["events:read", "events:write", "config"])
    assert api.get("dead-letters").status_code == 403
    assert api.post(f"dead-letters/{letter.pk}/retry", {}).status_code == 403
    assert state_of(acme) == (["open"], 0, 0, 1)


def test_groups_tell_causes_by_frequency(api: Api, acme: TenantRef, die: Die) -> None:
    die(acme, "1", "2")
    groups = api.get("dead-letters/groups").json()["results"]
    assert [(g["count"], g["reason"], g["handler"], g["error_class"]) for g in groups] == [
        (2, "permanent", "bookings.record_booking", "UnknownProperty")
    ]
    found = api.get(f"dead-letters?fingerprint={groups[0]['fingerprint']}").json()["results"]
    assert len(found) == 2
    assert groups[0]["last_died_at"] == found[0]["died_at"]


def test_a_dry_run_counts_and_changes_nothing(api: Api, acme: TenantRef, die: Die) -> None:
    die(acme, "1", "2")
    body = {"action": "retry", "filter": {"type": "booking.*"}, "dry_run": True}
    answer = api.post("dead-letters/bulk", body).json()
    assert (answer["matched"], answer["changed"], answer["has_more"]) == (2, 0, False)
    assert answer["sample"][0]["sentence"] == SENTENCE
    assert state_of(acme) == (["open", "open"], 0, 0, 2)


def test_many_are_decided_by_ids_or_by_filter(api: Api, acme: TenantRef, die: Die) -> None:
    letters = die(acme, "1", "2", "3")
    ids = [str(letters[0].pk), str(uuid4())]
    answer = api.post("dead-letters/bulk", {"action": "discard", "ids": ids, "note": "test"}).json()
    assert (answer["matched"], answer["changed"]) == (1, 1)
    answer = api.post("dead-letters/bulk", {"action": "retry", "filter": {}}).json()
    assert (answer["matched"], answer["changed"]) == (2, 2)
    assert state_of(acme) == (["discarded", "retrying", "retrying"], 3, 2, 3)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"filter": {}}, "#/action"),
        ({"action": "burn", "filter": {}}, "#/action"),
        ({"action": "retry"}, "#"),
        ({"action": "retry", "filter": {}, "ids": [str(uuid4())]}, "#"),
        ({"action": "retry", "ids": []}, "#/ids"),
        ({"action": "retry", "ids": ["x"]}, "#/ids/0"),
        ({"action": "retry", "filter": {"handlr": "a.b"}}, "#/filter/handlr"),
        ({"action": "retry", "filter": {"state": "discarded"}}, "#/filter/state"),
        ({"action": "retry", "filter": {}, "dry_run": "yes"}, "#/dry_run"),
        ({"action": "discard", "filter": {}}, "#/note"),
        ({"action": "discard", "filter": {}, "note": " "}, "#/note"),
    ],
)
def test_a_bulk_call_that_is_not_understood_does_nothing(
    api: Api, acme: TenantRef, die: Die, body: dict[str, Any], pointer: str
) -> None:
    die(acme, "1")
    answer = api.post("dead-letters/bulk", body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert state_of(acme) == (["open"], 0, 0, 1)
