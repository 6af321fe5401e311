"""Is the product able to work? A reason for each part, for load balancers and people."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from celery import current_app
from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import KombuError, OperationalError
from redis.exceptions import RedisError

from apps.dispatch.models import PendingDelivery, Progress, State

STALLED_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the product. A part that is not needed to take events in does not end readiness."""

    name: str
    is_ok: bool
    reason: str
    is_needed: bool = True


def get_health(*, now: datetime | None = None) -> list[Part]:
    """Look at the database, its migrations, the broker, and whether each category moves."""
    now = now or datetime.now(UTC)
    database = _database()
    parts = [database, _broker(), _cache()]
    if database.is_ok:
        parts += _stalled(now)
    return parts


def _database() -> Part:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, InterfaceError) as error:
        return Part(name="database", is_ok=False, reason=str(error).strip().split("\n")[0])
    if missing:
        reason = f"{len(missing)} migrations are missing: run manage.py migrate_schemas"
        return Part(name="database", is_ok=False, reason=reason)
    return Part(name="database", is_ok=True, reason="answers, all migrations applied")


def _broker() -> Part:
    """Events are taken in without a broker; only their processing waits. So it is not needed."""
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except (OperationalError, KombuError, RedisError, OSError) as error:
        reason = f"away, events are taken in and wait: {error}"
        return Part(name="broker", is_ok=False, reason=reason, is_needed=False)
    return Part(name="broker", is_ok=True, reason="answers", is_needed=False)


def _cache() -> Part:
    try:
        cache.get("health")
    except (RedisError, OSError) as error:
        return Part(name="cache", is_ok=False, reason=str(error), is_needed=False)
    return Part(name="cache", is_ok=True, reason="answers", is_needed=False)


def _stalled(now: datetime) -> list[Part]:
    """Compare backlog with progress: ready work and no completion means stuck or no worker."""
    old = PendingDelivery.objects.filter(state=State.READY, accepted_at__lt=now - STALLED_AFTER)
    waiting = list(old.order_by("category").values_list("category", flat=True).distinct())
    moving = set(
        Progress.objects.filter(
            category__in=waiting, minute__gte=now - STALLED_AFTER - timedelta(minutes=1)
        ).values_list("category", flat=True)
    )
    return [
        Part(
            name=f"category {category}",
            is_ok=False,
            reason=f"ready work older than {STALLED_AFTER.seconds} s and nothing completed: "
            f"is a worker of events.{category} running?",
            is_needed=False,
        )
        for category in waiting
        if category not in moving
    ]
