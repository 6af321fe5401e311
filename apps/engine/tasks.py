"""The engine's Celery tasks: thin. They belong to the platform; work enters its tenant by itself.

`autoretry_for` is for the infrastructure of the tasks themselves. When a delivery runs again is
decided in PostgreSQL, never here.
"""

import time
from datetime import datetime
from pathlib import Path
from typing import Any

from celery import shared_task
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from apps.dispatch import doorbells
from apps.engine import rounds, router, sweeping, working
from apps.engine.ringing import send_chore
from apps.engine.stopping import busy, is_stopping
from apps.events.models import ReplayState
from apps.events.purging import purge_events
from apps.events.replaying import step_replay
from apps.fallback.bulk import step_bulk_action
from apps.fallback.models import BulkState
from apps.tenants.entering import entering, get_tenant_by_id

INFRASTRUCTURE = (OperationalError, InterfaceError, KombuError, RedisError, ConnectionError)
_RETRY: dict[str, Any] = {
    "autoretry_for": INFRASTRUCTURE,
    "retry_backoff": 1,
    "retry_backoff_max": 30,
    "retry_jitter": True,
    "max_retries": 5,
}
_CHORE_SECONDS = 5


@shared_task(name="engine.route", **_RETRY)
def route() -> None:
    """Route all that has arrived."""
    doorbells.heard(doorbells.ROUTE)
    router.route_all()


@shared_task(name="engine.work", **_RETRY)
def work(category: str) -> None:
    """Run one batch of a category; ring again, behind the others, when there may be more."""
    doorbells.heard(category)
    if is_stopping():
        doorbells.ring(category)
        return
    with busy():
        _, is_more = working.work(category)
        if is_more:
            doorbells.ring(category)


@shared_task(name="engine.sweep", **_RETRY)
def sweep() -> None:
    """Do one pass of the sweep, and hand out the steps of operator tasks that are due."""
    for chore in sweeping.sweep():
        send_chore(chore)


@shared_task(name="engine.round", **_RETRY)
def round_() -> None:
    """Look in every tenant at what no event tells."""
    with busy():
        rounds.make_round(now=timezone.now())


@shared_task(name="chores.replay", ignore_result=False, **_RETRY)
def replay(tenant_id: int, replay_id: int) -> dict[str, Any]:
    """Take the steps of a replay that are due; its result is kept for operators.

    Ends when the next step is not due yet, or after a while so that other chores get their turn;
    the sweep sends the next.
    """
    until = time.monotonic() + _CHORE_SECONDS
    with entering(get_tenant_by_id(tenant_id)):
        while True:
            now = timezone.now()
            state = step_replay(replay_id, now=now)
            if state is None:
                return {"replay": replay_id, "state": "busy or gone"}
            told = {"replay": replay_id, "state": state.state, "replayed": state.replayed}
            if state.state != ReplayState.RUNNING or state.rate or time.monotonic() > until:
                return told


@shared_task(name="chores.bulk_action", ignore_result=False, **_RETRY)
def bulk_action(tenant_id: int, bulk_id: int) -> dict[str, Any]:
    """Take steps of a bulk action of the fallback queue; its result is kept for operators."""
    until = time.monotonic() + _CHORE_SECONDS
    with entering(get_tenant_by_id(tenant_id)):
        while True:
            bulk = step_bulk_action(bulk_id, now=timezone.now())
            if bulk is None:
                return {"bulk_action": bulk_id, "state": "busy or gone"}
            if bulk.state != BulkState.RUNNING or is_stopping() or time.monotonic() > until:
                return {"bulk_action": bulk_id, "state": bulk.state, "done": bulk.done}


@shared_task(name="chores.purge", ignore_result=False, **_RETRY)
def purge(tenant_id: int, before: str, archive: str) -> dict[str, Any]:
    """Archive and delete a tenant's old events; its result is kept for operators."""
    with entering(get_tenant_by_id(tenant_id)):
        count, path = purge_events(
            datetime.fromisoformat(before), archive=Path(archive), now=timezone.now()
        )
    return {"purged": count, "archive": str(path) if count else None}
