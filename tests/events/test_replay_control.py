"""Replays under way: paused, resumed, cancelled, with a record; started once however often asked."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.dispatch.models import Arrival, Chore, Route
from apps.events.filters import EventFilter
from apps.events.models import Event, Replay, ReplayNote
from apps.events.replay_control import NotPossible, control_replay
from apps.events.replaying import preview_replay, start_replay, step_replay
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.handlers import Effects
from pms_events.publishing import publish_many
from tests.conftest import Api
from tests.engine.handlers import handler

HOST = {"host": "acme.localhost"}
NEW = "/admin/events/replay/add/"


@pytest.fixture
def log(acme: TenantRef, run_all: Callable[..., int]) -> TenantRef:
    """Five events that nobody handles."""
    with entering(acme):
        publish_many(
            [Envelope(id=f"{n}", source="test", type="custom.a", data={}) for n in range(5)]
        )
    run_all()
    return acme


def start(**options: Any) -> Replay:
    values = {
        "handler_names": None, "include_external": False, "rate": 2, "requested_by": "ann",
        "reason": "a test", "now": timezone.now(),
    }  # fmt: skip
    return start_replay(EventFilter(), **{**values, **options})


def control(replay: Replay, verb: str) -> Replay:
    return control_replay(replay, verb, actor="bob", reason="wait", now=timezone.now())


def test_a_paused_replay_takes_no_step_and_goes_on_where_it_was(log: TenantRef) -> None:
    with entering(log):
        replay = start()
        step_replay(replay.pk, now=timezone.now())
        assert control(replay, "pause").state == "paused"
        assert Chore.objects.count() == 0
        step_replay(replay.pk, now=timezone.now())
        assert Arrival.objects.count() == 2

        assert control(replay, "resume").state == "running"
        assert Chore.objects.get().ref == replay.pk
        for _ in range(3):
            step_replay(replay.pk, now=timezone.now())
        replay.refresh_from_db()
        assert (replay.state, replay.replayed) == ("done", 5)
        uids = list(Arrival.objects.order_by("id").values_list("event_uid", flat=True))
        assert uids == list(Event.objects.order_by("uid").values_list("uid", flat=True))
        notes = list(ReplayNote.objects.values_list("action", "actor", "reason"))
        assert notes == [("pause", "bob", "wait"), ("resume", "bob", "wait")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["pause"], "pause"),
        ([], "resume"),
        (["cancel"], "cancel"),
        (["cancel"], "resume"),
        (["cancel"], "pause"),
    ],
)
def test_what_the_state_does_not_allow_is_refused_and_leaves_no_trace(
    log: TenantRef, first: list[str], second: str
) -> None:
    with entering(log):
        replay = start()
        for verb in first:
            control(replay, verb)
        before = Replay.objects.values().get(), ReplayNote.objects.count(), Chore.objects.count()
        with pytest.raises(NotPossible, match=f"Replay {replay.pk} is {replay.state}"):
            control(replay, second)
        assert before == (
            Replay.objects.values().get(), ReplayNote.objects.count(), Chore.objects.count(),
        )  # fmt: skip


def test_a_paused_replay_can_be_cancelled_by_the_api_with_a_reason(
    log: TenantRef, harbor: TenantRef, api_of: Callable[..., Api]
) -> None:
    api = api_of(log)
    pk = api.post("replays", {"filter": {}, "rate": 1}).json()["id"]
    assert api.post(f"replays/{pk}/pause", {"reason": "lunch"}).json()["state"] == "paused"
    refused = api.post(f"replays/{pk}/pause")
    assert (refused.status_code, refused.headers["Content-Type"]) == (
        409,
        "application/problem+json",
    )
    assert api_of(harbor).post(f"replays/{pk}/resume").status_code == 404
    assert api_of(log, scopes=["events:read"]).post(f"replays/{pk}/resume").status_code == 403
    assert api.get(f"replays/{pk}").json()["state"] == "paused"
    assert api.post(f"replays/{pk}/resume").json()["state"] == "running"
    assert api.post(f"replays/{pk}/pause").json()["state"] == "paused"
    body = api.post(f"replays/{pk}/cancel", {"reason": "wrong events"}).json()
    assert body["state"] == "cancelled"
    assert [(n["action"], n["actor"], n["reason"]) for n in body["notes"]] == [
        ("pause", "api key test", "lunch"),
        ("resume", "api key test", ""),
        ("pause", "api key test", ""),
        ("cancel", "api key test", "wrong events"),
    ]


def test_two_clicks_on_one_preview_start_one_replay(log: TenantRef) -> None:
    preview, found = uuid4(), []
    together = threading.Barrier(2)

    def click() -> None:
        with entering(log):
            together.wait(10)
            found.append(start(preview=preview).pk)
        connection.close()

    clicks = [threading.Thread(target=click) for _ in range(2)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join(20)
    assert len(found) == 2
    assert found[0] == found[1]
    with entering(log):
        assert Replay.objects.count() == 1
    assert Chore.objects.count() == 1


def test_the_preview_says_why_a_handler_stays_silent(log: TenantRef) -> None:
    with (
        handler(name="test.books"),
        handler(name="test.counts"),
        handler(name="test.mails", effects=Effects.EXTERNAL),
        entering(log),
    ):
        Route.objects.create(tenant_id=log.id, handler="test.counts", is_on=False)
        asked = {"handler_names": None, "cutoff": timezone.now()}
        silent = preview_replay(EventFilter(), include_external=False, **asked)  # type: ignore[arg-type]
        assert silent.by_handler == {"test.books": 5}
        assert silent.suppressed == {"test.counts": 5, "test.mails": 5}
        assert "switched it off" in silent.reasons["test.counts"]
        assert "outside" in silent.reasons["test.mails"]
        loud = preview_replay(EventFilter(), include_external=True, **asked)  # type: ignore[arg-type]
        assert loud.by_handler == {"test.books": 5, "test.mails": 5}


@pytest.fixture
def ann(log: TenantRef, client: Client) -> Client:
    """A person who may do everything, signed in."""
    with entering(log):
        client.force_login(get_user_model().objects.create_superuser("ann"))
    return client


def test_the_screen_starts_nothing_without_a_reason(ann: Client, log: TenantRef) -> None:
    with handler(name="test.books"):
        form = {
            "type": "custom.*", "cutoff": timezone.now().isoformat(), "token": str(uuid4()),
            "handlers": ["test.books"], "rate": "10", "reason": " ",
        }  # fmt: skip
        for change, told in (
            ({}, "Say why"),
            ({"reason": "x", "handlers": []}, "Choose at least one handler"),
            ({"reason": "x", "rate": "0"}, "The rate is a whole number"),
            ({"reason": "x", "rate": "fast"}, "The rate is a whole number"),
            ({"reason": "x", "type": "no.such"}, "there is nothing to replay"),
            ({"reason": "x", "type": "bad type"}, "Write an event type"),
            ({"reason": "x", "step": "preview"}, "Replay 5 events?"),
        ):
            answer = ann.post(NEW, {**form, **change}, headers=HOST)
            assert answer.status_code == 200
            assert told in answer.content.decode()
        with entering(log):
            assert Replay.objects.count() == 0
        started = ann.post(NEW, {**form, "reason": "mended"}, headers=HOST)
        assert started.status_code == 302
        again = ann.post(NEW, {**form, "reason": "mended"}, headers=HOST)
        assert again["Location"] == started["Location"]
    with entering(log):
        replay = Replay.objects.get()
        assert (replay.requested_by, replay.reason, replay.rate, replay.handlers, replay.filter) == (
            "ann", "mended", 10, None, {"type": "custom.*"},
        )  # fmt: skip
        assert replay.cutoff.isoformat() == form["cutoff"]


def test_events_of_unknown_types_are_told_and_narrowed_handlers_still_start(
    ann: Client, log: TenantRef
) -> None:
    with entering(log):
        publish_many([Envelope(id="odd", source="test", type="odd.happened", data={})])
    with handler(name="test.books"), handler(name="test.counts"):
        page = ann.get(NEW, headers=HOST).content.decode()
        assert "their type is not in the catalogue" in page
        form = {"cutoff": timezone.now().isoformat(), "handlers": ["test.books"], "reason": "x"}
        assert ann.post(NEW, form, headers=HOST).status_code == 302
    with entering(log):
        assert Replay.objects.get().handlers == ["test.books"]


def test_who_may_only_look_starts_and_stops_nothing(log: TenantRef, client: Client) -> None:
    with entering(log):
        eve = get_user_model().objects.create_user("eve", is_staff=True)
        eve.user_permissions.add(
            *Permission.objects.filter(codename__in=["view_replay", "view_event"])
        )
        client.force_login(eve)
        replay = start()
    assert client.get(NEW, headers=HOST).status_code == 403
    assert client.post(NEW, {"reason": "x"}, headers=HOST).status_code == 403
    act = f"/admin/events/replay/{replay.pk}/control/cancel/"
    assert client.post(act, headers=HOST).status_code == 403
    page = client.get(f"/admin/events/replay/{replay.pk}/change/", headers=HOST)
    assert "Cancel the replay" not in page.content.decode()
    assert "Replay these" not in client.get("/admin/events/event/", headers=HOST).content.decode()
    with entering(log):
        assert Replay.objects.get().state == "running"


def test_odd_addresses_are_not_found(ann: Client, log: TenantRef) -> None:
    with entering(log):
        replay = start()
    for address in (
        "/admin/events/replay/x/change/",
        "/admin/events/replay/99999/change/",
        "/admin/events/event/x/change/",
        "/admin/events/event/?cursor=older:x",
        f"/admin/events/replay/{replay.pk}/control/cancel/",  # looking at it cancels nothing
        f"/admin/events/replay/{replay.pk}/control/explode/",
    ):
        assert ann.get(address, headers=HOST).status_code == 404
    assert ann.get("/admin/events/event/?since=soon&state=odd", headers=HOST).status_code == 200
    with entering(log):
        assert Replay.objects.get().state == "running"
