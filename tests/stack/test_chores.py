"""Operator tasks and lost connections, with real workers."""

from collections.abc import Callable

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_celery_results.models import TaskResult

from apps.dispatch.models import Arrival, Chore, PendingDelivery
from apps.events.filters import EventFilter
from apps.events.models import Delivery, Replay
from apps.events.replaying import start_replay
from apps.fallback.models import QueueLevel
from apps.properties.models import Property
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.processes import Process, eventually

pytestmark = pytest.mark.stack


def publish(tenant: TenantRef, *ids: str, type: str = "custom.effect") -> None:
    with entering(tenant):
        publish_many([Envelope(id=i, source="test", type=type, data={}) for i in ids])


def idle() -> bool:
    return not Arrival.objects.exists() and not PendingDelivery.objects.exists()


def test_a_replay_survives_until_a_worker_comes_and_its_result_is_kept_in_the_shared_schema(
    acme: TenantRef, worker: Callable[..., Process], beat: Callable[..., Process]
) -> None:
    publish(acme, "1", "2", type="custom.harmless")
    with entering(acme):
        replay = start_replay(
            EventFilter(type="custom.harmless"), handler_names=None, include_external=False,
            rate=None, requested_by="test", reason="", now=timezone.now(),
        )  # fmt: skip
    assert Chore.objects.count() == 1
    worker()
    beat()
    eventually(lambda: not Chore.objects.exists() and idle())
    with entering(acme):
        ended = Replay.objects.get(pk=replay.pk)
        assert (ended.state, ended.replayed) == ("done", 2)
        assert Delivery.objects.filter(replay_id=replay.pk).count() == 2
    eventually(lambda: TaskResult.objects.filter(status="SUCCESS").exists())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT schemaname FROM pg_tables"
            " WHERE tablename = 'django_celery_results_taskresult'"
        )
        assert cursor.fetchall() == [("public",)]
    names = set(TaskResult.objects.values_list("task_name", flat=True))
    assert names <= {"chores.replay", None}  # deliveries leave no results


def test_a_worker_makes_the_round_that_beat_asks_for(
    acme: TenantRef, worker: Callable[..., Process]
) -> None:
    worker()
    entry = settings.CELERY_BEAT_SCHEDULE["round"]
    current_app.send_task(entry["task"], **entry["options"])
    with entering(acme):
        eventually(lambda: QueueLevel.objects.exists())
        assert QueueLevel.objects.get().level == 0


def test_workers_come_back_after_all_their_connections_were_cut(
    acme: TenantRef, worker: Callable[..., Process], beat: Callable[..., Process]
) -> None:
    worker()
    beat()
    publish(acme, "before")
    eventually(idle)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert cursor.fetchone()[0] >= 2
    publish(acme, "after")
    eventually(idle)
    with entering(acme):
        assert sorted(Property.objects.values_list("ref", flat=True)) == ["after", "before"]
