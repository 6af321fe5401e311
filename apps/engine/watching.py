"""Stuck is noticed: work that is ready while nothing of its category is settled.

A Celery worker can be alive, connected and deaf. Its queue looks healthy; only that nothing moves tells.
The sweep keeps in `Pulse` since when it has seen that, and says so once: in the log here, and through
health in `/readyz`, `/metrics`, `dispatch_status` and the admin for as long as it lasts.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max

from apps.dispatch import doorbells
from apps.dispatch.models import Progress, Pulse
from apps.engine.stalling import Standing, tell_tenants

log = logging.getLogger(__name__)

__all__ = ["ROUTE", "SWEEP", "Standing", "judge_standing", "watch"]

SWEEP = "sweep"
ROUTE = doorbells.ROUTE


def judge_standing(
    before: Standing,
    *,
    is_waiting: bool,
    moved_at: datetime | None,
    now: datetime,
    patience: timedelta,
) -> Standing:
    """Decide how a category stands. `moved_at`: when it last settled something, if it ever did."""
    if not is_waiting:
        return Standing()
    since = before.waiting_since or now
    if moved_at is not None and moved_at > since:
        return Standing(waiting_since=moved_at)
    if now - since < patience:
        return Standing(waiting_since=since)
    return Standing(waiting_since=since, stuck_since=before.stuck_since or now)


def watch(*, waiting: Collection[str], oldest_arrival: int | None, now: datetime) -> None:
    """Keep what the sweep saw. `waiting`: categories with ready work that is not paused; ROUTE."""
    rows = {pulse.name: pulse for pulse in Pulse.objects.all()}
    moved = _moved(waiting) if waiting else {}
    route = rows.get(ROUTE)
    if route and route.oldest_arrival not in (None, oldest_arrival):
        moved[ROUTE] = now
    changed = []
    for name in sorted({*rows, *waiting} - {SWEEP}):
        row = rows.get(name) or Pulse(name=name, seen_at=now)
        before = Standing(waiting_since=row.waiting_since, stuck_since=row.stuck_since)
        after = judge_standing(
            before, is_waiting=name in waiting, moved_at=moved.get(name), now=now,
            patience=settings.STUCK_AFTER,
        )  # fmt: skip
        oldest = oldest_arrival if name == ROUTE else None
        if after != before or oldest != row.oldest_arrival:
            _tell(name, before, after)
            row.told = tell_tenants(name, before, after, told=row.told, now=now)
            row.seen_at, row.waiting_since = now, after.waiting_since
            row.stuck_since, row.oldest_arrival = after.stuck_since, oldest
            changed.append(row)
    Pulse.objects.bulk_create(
        [*changed, Pulse(name=SWEEP, seen_at=now)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["seen_at", "waiting_since", "stuck_since", "told", "oldest_arrival"],
    )


def _moved(names: Collection[str]) -> dict[str, datetime]:
    rows = Progress.objects.filter(category__in=names).values_list("category")
    return {name: at for name, at in rows.annotate(Max("last_at")) if at is not None}


def _tell(name: str, before: Standing, after: Standing) -> None:
    if after.stuck_since and not before.stuck_since:
        since = after.waiting_since.isoformat() if after.waiting_since else ""
        log.error("stuck: work is ready and nothing moves", extra={"what": name, "since": since})
    elif before.stuck_since and not after.stuck_since:
        log.warning("moves again", extra={"what": name})
