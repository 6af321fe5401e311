"""Is the product able to work? A reason for each part, for load balancers and people."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from celery import current_app
from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import KombuError, OperationalError
from redis.exceptions import RedisError

from apps.dispatch.models import Pulse
from apps.engine.watching import ROUTE, SWEEP

_SILENCE = timedelta(seconds=30)
"""A sweep comes every second; after so long without one, nobody makes it."""


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
        parts += _moving(now)
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


def _moving(now: datetime) -> list[Part]:
    """Tell whether the sweep goes round, and what it found stuck (`apps.engine.watching`)."""
    pulses = {pulse.name: pulse for pulse in Pulse.objects.all()}
    parts = [_sweep(pulses.get(SWEEP), now)]
    for name, pulse in sorted(pulses.items()):
        if pulse.stuck_since is None or pulse.waiting_since is None:
            continue
        seconds = (now - pulse.waiting_since).total_seconds()
        queue = "events.route" if name == ROUTE else f"events.{name}"
        reason = (
            f"work is ready and nothing has moved for {seconds:.0f} s: is a worker of {queue} "
            "running, and does it listen? Restarting it loses nothing"
        )
        what = "router" if name == ROUTE else f"category {name}"
        parts.append(Part(name=what, is_ok=False, reason=reason, is_needed=False))
    return parts


def _sweep(pulse: Pulse | None, now: datetime) -> Part:
    if pulse is not None and now - pulse.seen_at < _SILENCE:
        return Part(name="sweep", is_ok=True, reason="goes round", is_needed=False)
    last = (
        f"the last was {(now - pulse.seen_at).total_seconds():.0f} s ago" if pulse else "none yet"
    )
    reason = f"nobody sweeps ({last}): are beat and a worker of events.sweep running?"
    return Part(name="sweep", is_ok=False, reason=reason, is_needed=False)
