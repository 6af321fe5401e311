"""The engine's Celery tasks: thin. They belong to the platform; work enters its tenant by itself.

`autoretry_for` is for the infrastructure of the tasks themselves. When a delivery runs again is
decided in PostgreSQL, never here.
"""

import time
from typing import Any

from celery import shared_task
from django.db import InterfaceError, OperationalError
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from apps.dispatch import doorbells
from apps.engine import router, sweeping, working
from apps.engine.ringing import send_chore

INFRASTRUCTURE = (OperationalError, InterfaceError, KombuError, RedisError, ConnectionError)
_RETRY: dict[str, Any] = {
    "autoretry_for": INFRASTRUCTURE,
    "retry_backoff": 1,
    "retry_backoff_max": 30,
    "retry_jitter": True,
    "max_retries": 5,
}
_ROUTER_PATIENCE = 5
_ROUTER_PAUSE_SECONDS = 0.002


@shared_task(name="engine.route", **_RETRY)
def route() -> None:
    """Route all that has arrived."""
    doorbells.heard(doorbells.ROUTE)
    misses = 0
    while misses < _ROUTER_PATIENCE:
        taken = router.route()
        if taken is None:
            # Another router is about to end; what came after its last look is ours.
            misses += 1
            time.sleep(_ROUTER_PAUSE_SECONDS)
        elif taken == 0:
            return


@shared_task(name="engine.work", **_RETRY)
def work(category: str) -> None:
    """Run one batch of a category; ring again, behind the others, when there may be more."""
    doorbells.heard(category)
    _, is_more = working.work(category)
    if is_more:
        doorbells.ring(category)


@shared_task(name="engine.sweep", **_RETRY)
def sweep() -> None:
    """Do one pass of the sweep, and hand out the steps of operator tasks that are due."""
    for chore in sweeping.sweep():
        send_chore(chore)
