"""Replays: effect-safe, durable, told beforehand; by API and by command."""

import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_celery_results.models import TaskResult

from apps.dispatch.models import Arrival, Chore, Lane, PendingDelivery
from apps.engine import router
from apps.engine.tasks import replay as replay_task
from apps.events.models import Delivery, Event, Replay
from apps.events.replaying import step_replay
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.handlers import Effects
from pms_events.publishing import publish_many
from tests.conftest import Api
from tests.engine.handlers import handler


@pytest.fixture
def log(acme: TenantRef, run_all: Callable[..., int]) -> TenantRef:
    """Three events of one type and one of another, all handled once."""
    with handler(name="test.books"), handler(name="test.mails", effects=Effects.EXTERNAL):
        with entering(acme):
            publish_many(
                [
                    Envelope(id=f"{n}", source="test", type=type, subject=f"s{n}", data={})
                    for n, type in enumerate(["custom.a", "custom.a", "custom.a", "custom.b"])
                ]
            )
        run_all()
    return acme


def test_a_dry_run_counts_and_changes_nothing(log: TenantRef, api_of: Callable[..., Api]) -> None:
    # The handlers of this process are not those of the web process: ask for counts of events.
    body = {"filter": {"type": "custom.a"}, "dry_run": True}
    answer = api_of(log).post("replays", body)
    assert answer.status_code == 200
    assert answer.json()["total"] == 3
    assert answer.json()["by_type"] == {"custom.a": 3}
    assert len(answer.json()["samples"]) == 3
    with entering(log):
        assert Replay.objects.count() == 0
    assert (Arrival.objects.count(), Chore.objects.count()) == (0, 0)


def test_the_command_s_dry_run_tells_what_is_suppressed(log: TenantRef) -> None:
    out = StringIO()
    with handler(name="test.books"), handler(name="test.mails", effects=Effects.EXTERNAL):
        call_command(
            "replay_events", "--tenant", "acme", "--dry-run", "--json", "--type", "custom.*",
            stdout=out,
        )  # fmt: skip
    told = json.loads(out.getvalue())
    assert told["by_handler"] == {"test.books": 4}
    assert told["suppressed"] == {"test.mails": 4}


def test_a_replay_runs_handlers_again_and_keeps_the_outside_silent(
    log: TenantRef, api_of: Callable[..., Api], run_all: Callable[..., int]
) -> None:
    with (
        handler(name="test.books") as books,
        handler(name="test.mails", effects=Effects.EXTERNAL) as mails,
    ):
        started = api_of(log).post("replays", {"filter": {"type": "custom.a"}, "reason": "test"})
        assert started.status_code == 201
        assert started.json()["requested_by"] == "api key test"
        result = replay_task.apply(args=[log.id, started.json()["id"]])
        assert result.get() == {"replay": started.json()["id"], "state": "done", "replayed": 3}
        run_all()
    assert [c.event.id for c in books] == ["0", "1", "2"]
    assert all(c.is_replay for c in books)
    assert mails == []
    with entering(log):
        assert Event.objects.count() == 4
        new = Delivery.objects.exclude(replay_id=None)
        assert list(new.values_list("handler", flat=True)) == ["test.books"] * 3


def test_one_event_is_replayed_alone(
    log: TenantRef, api_of: Callable[..., Api], run_all: Callable[..., int]
) -> None:
    with entering(log):
        uid = str(Event.objects.get(event_id="1").uid)
    for chosen in ({"uid": uid}, {"uid": uid, "source": "test", "state": "done"}):
        answer = api_of(log).post("replays", {"filter": chosen, "dry_run": True})
        assert answer.json()["total"] == 1, chosen
    refused = api_of(log).post("replays", {"filter": {"uid": "1"}})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/filter/uid")
    with handler(name="test.books") as books:
        call_command("replay_events", "--tenant", "acme", "--uid", uid, stdout=StringIO())
        run_all()
    assert [c.event.id for c in books] == ["1"]


def test_the_outside_hears_a_replay_only_when_asked(
    log: TenantRef, run_all: Callable[..., int]
) -> None:
    with handler(name="test.mails", effects=Effects.EXTERNAL) as mails:
        call_command(
            "replay_events", "--tenant", "acme", "--include-external", "--handler", "test.mails",
            stdout=StringIO(),
        )  # fmt: skip
        run_all()
    assert sorted(c.event.id for c in mails) == ["0", "1", "2", "3"]


def test_what_a_replayed_handler_publishes_stays_inside_too(
    log: TenantRef, run_all: Callable[..., int]
) -> None:
    def publish_more(payload: object, context: object) -> None:
        event = Envelope(id="derived", source="test", type="custom.derived", data={})
        publish_many([event])

    with (
        handler(publish_more, types=("custom.b",), name="test.books"),
        handler(name="test.mails", effects=Effects.EXTERNAL) as mails,
    ):
        call_command("replay_events", "--tenant", "acme", stdout=StringIO())
        run_all()
    assert mails == []
    with entering(log):
        assert Event.objects.filter(type="custom.derived").count() == 1


def test_replays_run_in_the_bulk_lane(log: TenantRef) -> None:
    with handler(name="test.books"):
        call_command("replay_events", "--tenant", "acme", "--type", "custom.b", stdout=StringIO())
        router.route()
    assert list(PendingDelivery.objects.values_list("lane", flat=True)) == [Lane.BULK]


def test_a_step_that_runs_twice_at_the_end_replays_nothing_twice(log: TenantRef) -> None:
    call_command("replay_events", "--tenant", "acme", stdout=StringIO())
    with entering(log):
        replay = Replay.objects.get()
        assert step_replay(replay.pk, now=timezone.now()) is not None
        assert Replay.objects.get().replayed == 4
    assert Arrival.objects.count() == 4


def test_a_cancelled_replay_goes_no_further(log: TenantRef, api_of: Callable[..., Api]) -> None:
    api = api_of(log)
    pk = api.post("replays", {"filter": {}}).json()["id"]
    assert api.post(f"replays/{pk}/cancel").json()["state"] == "cancelled"
    assert api.post(f"replays/{pk}/cancel").status_code == 409
    assert replay_task.apply(args=[log.id, pk]).get()["state"] == "cancelled"
    assert Arrival.objects.count() == 0


def test_bad_requests_are_told_and_start_nothing(
    log: TenantRef, harbor: TenantRef, api_of: Callable[..., Api]
) -> None:
    api = api_of(log)
    for body in (
        {"filter": {}, "handlers": ["no.such"]},
        {"rate": 0},
        {"filter": {"state": "odd"}},
        {"filter": {"type": "bad type"}},
    ):
        answer = api.post("replays", body)
        assert (answer.status_code, answer.headers["Content-Type"]) == (
            422,
            "application/problem+json",
        )
    with pytest.raises(CommandError, match="no handler 'no.such'"):
        call_command("replay_events", "--tenant", "acme", "--handler", "no.such")
    with pytest.raises(CommandError, match="nobody"):
        call_command("replay_events", "--tenant", "nobody")
    with pytest.raises(CommandError, match="offset"):
        call_command("replay_events", "--tenant", "acme", "--since", "2027-06-01")
    with entering(log):
        assert Replay.objects.count() == 0
    assert TaskResult.objects.count() == 0
    pk = api.post("replays", {"filter": {}}).json()["id"]
    assert api_of(harbor).get(f"replays/{pk}").status_code == 404
