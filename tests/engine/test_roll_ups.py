"""What screens read: roll-ups per tenant, and the backlog as it was counted last."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.dispatch import queries, sampling
from apps.dispatch.models import BacklogSample, Progress, TenantProgress
from apps.dispatch.progress import (
    Counts,
    bucket_of,
    get_failing,
    get_history,
    note_progress,
    prune_progress,
)
from apps.dispatch.sampling import get_lagging, get_tenants_with_work, get_waiting, take_sample
from apps.engine import router, sweeping, working
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.errors import PermanentError
from pms_events.publishing import publish_many
from tests.conftest import Api
from tests.engine.handlers import handler

NOW = datetime(2026, 7, 1, 12, 7, 30, tzinfo=UTC)
FIVE = timedelta(minutes=5)


def send(tenant: TenantRef, *ids: str, type: str = "custom.a") -> None:
    with entering(tenant):
        publish_many([Envelope(id=id, source="t", type=type, data={}) for id in ids])


def fail_on_bad(payload: Any, context: Any) -> None:
    if context.event.type == "custom.bad":
        raise PermanentError("no such unit")
    if context.event.type == "custom.later":
        raise ValueError("not now")


def test_each_tenants_batch_is_counted_once_by_what_became_of_it(
    acme: TenantRef, harbor: TenantRef
) -> None:
    with handler(fail_on_bad):
        send(acme, "1", "2", "3")
        send(acme, "4", type="custom.bad")
        send(harbor, "1")
        send(harbor, "2", type="custom.later")
        router.route()
        working.work("automation")
    since = bucket_of(timezone.now()) - FIVE
    ours = list(get_history(acme.id, since=since)["automation"].values())
    theirs = list(get_history(harbor.id, since=since)["automation"].values())
    everybody = list(get_history(None, since=since)["automation"].values())
    assert ours == [Counts(done=3, dead=1)]
    assert theirs == [Counts(done=1, retried=1)]
    assert everybody == [Counts(done=4, dead=1, retried=1)]
    assert get_failing(since=since, limit=5) == [(acme.id, 1, 0), (harbor.id, 0, 1)]


def test_workers_have_rows_of_their_own_that_are_read_as_one(acme: TenantRef) -> None:
    for worker, now, counts in (
        ("a:1", NOW, Counts(done=2)),
        ("a:1", NOW + timedelta(seconds=10), Counts(done=3, dead=1)),
        ("b:1", NOW, Counts(done=4)),
        ("a:1", NOW + FIVE, Counts(superseded=7)),
    ):
        note_progress({acme.id: counts}, category="sync", now=now, worker=worker)
    assert TenantProgress.objects.count() == 3
    assert get_history(acme.id, since=bucket_of(NOW)) == {
        "sync": {
            bucket_of(NOW): Counts(done=9, dead=1),
            bucket_of(NOW + FIVE): Counts(superseded=7),
        }
    }
    assert get_history(acme.id + 1, since=bucket_of(NOW)) == {}


def test_roll_ups_are_kept_for_a_day_and_a_little(acme: TenantRef) -> None:
    for hours in (1, 25, 27):
        at = NOW - timedelta(hours=hours)
        note_progress({acme.id: Counts(done=hours)}, category="sync", now=at, worker="a:1")
    prune_progress(now=NOW)
    assert sorted(Progress.objects.values_list("done", flat=True)) == [1, 25]
    assert sorted(TenantProgress.objects.values_list("done", flat=True)) == [1, 25]


def test_the_sample_says_what_was_there_when_it_was_taken(
    acme: TenantRef, harbor: TenantRef
) -> None:
    with handler(fail_on_bad):
        send(acme, "1", "2")
        router.route()
        send(harbor, "1")
        now = timezone.now()
        take_sample(now=now)
        assert get_waiting(acme.id)["automation"].states == {"ready": 2}
        assert get_waiting(harbor.id)["route"].states == {"arrived": 1}
        assert get_waiting(None).keys() == {"automation", "route"}
        assert get_tenants_with_work("automation") == [acme.id]
        assert [(row[0], row[2]) for row in get_lagging(limit=5)] == [(acme.id, 2), (harbor.id, 1)]
        router.route()
        working.work("automation")
        assert get_waiting(acme.id)["automation"].states == {"ready": 2}, "counted on the way"
        take_sample(now=now)
    assert BacklogSample.objects.count() == 0
    assert sampling.sampled_at() == now


def test_the_sweep_counts_at_a_pace_and_not_each_time(acme: TenantRef, monkeypatch: Any) -> None:
    pace = sampling.Pace(least_seconds=3600, share=20, most_seconds=3600)
    monkeypatch.setattr(sampling, "_pace", pace)
    with handler():
        send(acme, "1")
        router.route()
        sweeping.sweep()
        assert get_waiting(acme.id)["automation"].states == {"ready": 1}
        working.work("automation")
        sweeping.sweep()
    assert get_waiting(acme.id)["automation"].states == {"ready": 1}


def test_a_big_table_is_not_counted_for_who_looks(acme: TenantRef, monkeypatch: Any) -> None:
    with handler():
        send(acme, "1", "2")
        router.route()
        now = timezone.now()
        take_sample(now=now)
        working.work("automation")
        assert queries.get_backlog(acme.id, now=now) == {}
        monkeypatch.setattr(sampling, "_BIG", 1)
        told = queries.get_backlog(acme.id, now=now)["automation"]
        assert told["ready"] == 2
        # Nobody has counted for long: then even a big table is.
        assert queries.get_backlog(acme.id, now=now + timedelta(minutes=11)) == {}


def test_a_stale_sample_marks_no_tenant_as_full_that_was_emptied(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    with handler():
        send(acme, "1", "2", "3")
        router.route()
        take_sample(now=timezone.now())
        assert sampling.get_tenants_over(2) == [acme.id]
        run_all()
        take_sample(now=timezone.now())
    assert sampling.get_tenants_over(2) == []


def test_a_key_sees_its_own_tenant_s_figures_alone(
    acme: TenantRef, harbor: TenantRef, api_of: Callable[..., Api], run_all: Callable[..., int]
) -> None:
    with handler(fail_on_bad):
        send(acme, "1", "2")
        send(acme, "3", type="custom.bad")
        run_all()
        send(harbor, "1")
        router.route()
    shown = api_of(acme).get("stats").json()["categories"]["automation"]
    assert {k: v for k, v in shown["last_hour"].items() if v} == {"done": 2, "dead": 1}
    assert shown["settled_per_minute"] > 0
    waits = api_of(harbor).get("stats").json()["categories"]["automation"]
    assert (waits["backlog"], sum(waits["last_hour"].values())) == ({"ready": 1}, 0)
    assert waits["settled_per_minute"] == 0
