"""The roll-ups of what was settled: added to once a batch, read by screens and metrics.

Rows are per worker process, so that workers never wait for each other's counters.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Sum

from apps.dispatch.models import Progress, TenantProgress

KEPT = timedelta(hours=26)
BUCKET = timedelta(minutes=5)
_ORIGIN = "2000-01-01T00:00:00Z"


class Counts(NamedTuple):
    """How many deliveries were settled, by what became of them."""

    done: int = 0
    retried: int = 0
    dead: int = 0
    discarded: int = 0
    superseded: int = 0


_SUMS = ", ".join(f"{name} = p.{name} + EXCLUDED.{name}" for name in Counts._fields)
_NAMES = ", ".join(Counts._fields)
_GIVEN = ", ".join(f"%({name})s" for name in Counts._fields)
_ARRAYS = ", ".join(f"%({name}s)s::int[]" for name in Counts._fields)
# One statement a batch, which does not wait for the disk: roll-ups may lose a moment in a crash.
# Arrays instead of VALUES: half the cost where a batch has hundreds of tenants.
_NOTE = f"""WITH at_once AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
), of_category AS (
    INSERT INTO dispatch_progress AS p (category, minute, worker, last_at, {_NAMES})
    SELECT %(category)s, %(minute)s, %(worker)s, %(now)s, {_GIVEN} FROM at_once
    ON CONFLICT (category, minute, worker) DO UPDATE SET last_at = EXCLUDED.last_at, {_SUMS}
)
INSERT INTO dispatch_tenantprogress AS p (category, bucket, worker, tenant_id, {_NAMES})
SELECT %(category)s, %(bucket)s, %(worker)s, t.*
FROM unnest(%(tenants)s::int[], {_ARRAYS}) t
ON CONFLICT (tenant_id, bucket, category, worker) DO UPDATE SET {_SUMS}"""


def note_progress(
    tenants: Mapping[int, Counts], *, category: str, now: datetime, worker: str
) -> None:
    """Add one batch to this worker's rows: the category's of the minute, the tenants' of five."""
    columns = list(zip(*tenants.values(), strict=True)) or [()] * len(Counts._fields)
    named = {f"{name}s": list(column) for name, column in zip(Counts._fields, columns, strict=True)}
    parameters = {
        **named,
        **{name: sum(named[f"{name}s"]) for name in Counts._fields},
        "category": category,
        "minute": now.replace(second=0, microsecond=0),
        "bucket": bucket_of(now),
        "worker": worker,
        "now": now,
        "tenants": list(tenants),
    }
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, parameters)


def bucket_of(at: datetime) -> datetime:
    """Tell when the five minutes begin in which something happened."""
    return at.replace(minute=at.minute - at.minute % 5, second=0, microsecond=0)


def prune_progress(*, now: datetime) -> None:
    """Forget the roll-ups that are too old for any screen."""
    Progress.objects.filter(minute__lt=now - KEPT).delete()
    TenantProgress.objects.filter(bucket__lt=now - KEPT).delete()


def get_progress(*, now: datetime, window: timedelta) -> dict[str, dict[str, int]]:
    """Sum what each category settled within the window, from the per-minute roll-up."""
    rows = (
        Progress.objects.filter(minute__gte=now - window)
        .values_list("category")
        .annotate(*[Sum(name) for name in Counts._fields])
    )
    return {category: dict(zip(Counts._fields, sums, strict=True)) for category, *sums in rows}


_HISTORY = f"""SELECT category, date_bin('5 minutes', minute, '{_ORIGIN}'),
{", ".join(f"sum({name})" for name in Counts._fields)}
FROM dispatch_progress WHERE minute >= %s GROUP BY 1, 2"""
_TENANT_HISTORY = f"""SELECT category, bucket,
{", ".join(f"sum({name})" for name in Counts._fields)}
FROM dispatch_tenantprogress WHERE tenant_id = %s AND bucket >= %s GROUP BY 1, 2"""


def get_history(tenant_id: int | None, *, since: datetime) -> dict[str, dict[datetime, Counts]]:
    """Give what each category settled, by five minutes: one tenant's, or (None) of all together."""
    result: dict[str, dict[datetime, Counts]] = {}
    with connection.cursor() as cursor:
        if tenant_id is None:
            cursor.execute(_HISTORY, [since])
        else:
            cursor.execute(_TENANT_HISTORY, [tenant_id, since])
        for category, bucket, *counts in cursor.fetchall():
            result.setdefault(category, {})[bucket] = Counts(*map(int, counts))
    return result


def get_failing(*, since: datetime, limit: int) -> list[tuple[int, int, int]]:
    """Rank tenants by failures: their id, how many died and how many were retried."""
    rows = (
        TenantProgress.objects.filter(bucket__gte=since)
        .values_list("tenant_id")
        .annotate(died=Sum("dead"), again=Sum("retried"))
        .exclude(died=0, again=0)
        .order_by("-died", "-again", "tenant_id")
    )
    return [(tenant_id, died, again) for tenant_id, died, again in rows[:limit]]
