"""The backlog as it was counted last: the sweep counts the hot tables, everybody else reads this.

Counting takes as long as the tables are big. So the sweep counts at a pace that its own cost sets, and a
screen says how old the count is.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet, Sum

from apps.dispatch.marks import Pace
from apps.dispatch.models import BacklogSample, Pulse, State

BACKLOG = "backlog"
"""The pulse that says when was counted last."""

ARRIVED = "arrived"
_ROUTE = "route"
_MOVING = (State.READY, State.RUNNING, ARRIVED)
_BIG = 100_000
_STILL_TRUE = timedelta(minutes=10)
"""An older sample says nothing about now: nobody sweeps."""

_COUNT = f"""
INSERT INTO dispatch_backlogsample (tenant_id, category, state, count, oldest_at)
SELECT tenant_id, category, state, count(*), min(COALESCE(due_at, accepted_at))
FROM dispatch_pendingdelivery GROUP BY 1, 2, 3
UNION ALL
SELECT tenant_id, '{_ROUTE}', '{ARRIVED}', count(*), min(accepted_at)
FROM dispatch_arrival GROUP BY 1"""

_pace = Pace(least_seconds=5, most_seconds=math.inf, share=50)


def sample_when_due(*, now: datetime) -> bool:
    """Count the hot tables, at least five seconds apart and in at most a 50th of the time."""
    if not _pace.is_due:
        return False
    with _pace.looking_from_the_bottom():
        take_sample(now=now)
    return True


def take_sample(*, now: datetime) -> None:
    """Count the hot tables now, and replace the sample in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM dispatch_backlogsample")
        cursor.execute(_COUNT)
        Pulse.objects.update_or_create(name=BACKLOG, defaults={"seen_at": now})


def sampled_at() -> datetime | None:
    """Tell when was counted last; None when never."""
    return Pulse.objects.filter(name=BACKLOG).values_list("seen_at", flat=True).first()


@dataclass(slots=True)
class Waiting:
    """The unfinished deliveries of a category: how many by state, and since when the oldest waits.

    What is scheduled, paused, held or behind another in its stream waits for something else than a
    worker, so it does not count as oldest. What was retried or redriven waits since it was due.
    """

    states: dict[str, int]
    oldest_at: datetime | None = None

    @property
    def total(self) -> int:
        """How many there are in all."""
        return sum(self.states.values())


def get_waiting(tenant_id: int | None) -> dict[str, Waiting]:
    """Give the sampled backlog by category: one tenant's, or (None) of all together."""
    rows = BacklogSample.objects.all()
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    result: dict[str, Waiting] = {}
    for category, state, count, oldest_at in _rows(rows):
        found = result.setdefault(category, Waiting({}))
        found.states[state] = found.states.get(state, 0) + count
        if state in _MOVING:
            found.oldest_at = min(oldest_at, found.oldest_at or oldest_at)
    return result


def _rows(rows: QuerySet[BacklogSample]) -> Iterable[tuple[str, str, int, datetime]]:
    return rows.values_list("category", "state", "count", "oldest_at")


def get_tenants_with_work(category: str) -> list[int]:
    """Tell whose deliveries of a category were ready or running when was counted last."""
    rows = BacklogSample.objects.filter(category=category, state__in=_MOVING)
    return sorted(rows.values_list("tenant_id", flat=True).distinct())


def get_lagging(*, limit: int) -> list[tuple[int, datetime, int]]:
    """Rank tenants by lag: their id, since when their oldest waits for a worker, and their backlog."""
    sql = """SELECT tenant_id, min(oldest_at) FILTER (WHERE state = ANY(%s)) AS oldest, sum(count)
        FROM dispatch_backlogsample GROUP BY tenant_id
        HAVING bool_or(state = ANY(%s)) ORDER BY oldest, tenant_id LIMIT %s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(_MOVING), list(_MOVING), limit])
        return [(row[0], row[1], int(row[2])) for row in cursor.fetchall()]


def get_tenants_over(limit: int) -> list[int]:
    """Tell which tenants had more unfinished work than `limit` when was counted last."""
    rows = BacklogSample.objects.values("tenant_id").annotate(total=Sum("count"))
    return sorted(row["tenant_id"] for row in rows.filter(total__gt=limit))


def is_big(*, now: datetime) -> bool:
    """Tell whether the hot table is too big to be counted for somebody who looks at it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples FROM pg_class WHERE oid = 'dispatch_pendingdelivery'::regclass"
        )
        estimate = cursor.fetchone()[0]
    counted: dict[str, Any] = BacklogSample.objects.filter(~Q(state=ARRIVED)).aggregate(
        n=Sum("count")
    )
    at = sampled_at()
    is_usable = at is not None and now - at < _STILL_TRUE
    return is_usable and max(estimate, counted["n"] or 0) > _BIG
