"""What the hot tables say: backlog, what an event still owes, what is due. No counting of logs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from apps.dispatch.models import Arrival, Chore, PendingDelivery, Progress, State


def get_pending_of(tenant_id: int, uids: Sequence[UUID]) -> list[PendingDelivery]:
    """Give the unfinished deliveries of some events, oldest first."""
    rows = PendingDelivery.objects.filter(event_uid__in=uids, tenant_id=tenant_id)
    return list(rows.order_by("id"))


def get_unrouted(tenant_id: int, uids: Sequence[UUID]) -> set[UUID]:
    """Tell which of these events have arrived and are not routed yet."""
    rows = Arrival.objects.filter(event_uid__in=uids, tenant_id=tenant_id, replay_id=None)
    return set(rows.values_list("event_uid", flat=True))


def count_behind(tenant_id: int, *, handler: str, target: str, stream: str | None) -> int:
    """Count the deliveries that wait in a stream."""
    if stream is None:
        return 0
    return PendingDelivery.objects.filter(
        tenant_id=tenant_id, handler=handler, target=target, stream=stream, state=State.WAITING
    ).count()


def get_tenants_over(limit: int) -> list[int]:
    """Tell which tenants have more unfinished deliveries than `limit`.

    Counts only when PostgreSQL's own estimate of the whole table is beyond the limit, so that in
    usual times this costs one look into the catalogue.
    """
    estimate = "SELECT reltuples FROM pg_class WHERE oid = 'dispatch_pendingdelivery'::regclass"
    sql = """SELECT tenant_id FROM dispatch_pendingdelivery
        GROUP BY tenant_id HAVING count(*) > %s"""
    with connection.cursor() as cursor:
        cursor.execute(estimate)
        if cursor.fetchone()[0] <= limit:
            return []
        cursor.execute(sql, [limit])
        return [row[0] for row in cursor.fetchall()]


def count_paused(cap_id: int, *, tenant_id: int | None = None) -> int:
    """Count what a pause or limit keeps back, at most 10,000. Plan: pending_paused."""
    kept = PendingDelivery.objects.filter(cap_id=cap_id, state=State.PAUSED)
    if tenant_id is not None:
        kept = kept.filter(tenant_id=tenant_id)
    return kept[:10_000].count()


def get_due_chores(*, now: datetime) -> list[Chore]:
    """Give the operator tasks whose next step is due, at most 100."""
    return list(Chore.objects.filter(due_at__lte=now).order_by("due_at")[:100])


def get_backlog(tenant_id: int | None, *, now: datetime) -> dict[str, dict[str, Any]]:
    """Give backlog by category: counts by state, and the seconds the oldest ready one waits.

    Counts stop at 10,000 a category, so that a flood does not make looking at it expensive.
    """
    sql = """
        SELECT c.category, s.state, s.n, s.oldest
        FROM unnest(%(categories)s::text[]) AS c(category)
        CROSS JOIN LATERAL (
            SELECT state, count(*) AS n, min(accepted_at) AS oldest FROM (
                SELECT state, accepted_at FROM dispatch_pendingdelivery p
                WHERE p.category = c.category
                  AND (%(tenant)s::int IS NULL OR p.tenant_id = %(tenant)s)
                LIMIT 10000) capped
            GROUP BY state) s"""
    categories = list(
        PendingDelivery.objects.order_by().values_list("category", flat=True).distinct()
    )
    result: dict[str, dict[str, Any]] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, {"categories": categories, "tenant": tenant_id})
        for category, state, count, oldest in cursor.fetchall():
            entry = result.setdefault(category, {"oldest_wait_seconds": 0.0})
            entry[state] = count
            if state in (State.READY, State.RUNNING):
                wait = max(0.0, (now - oldest).total_seconds())
                entry["oldest_wait_seconds"] = max(entry["oldest_wait_seconds"], wait)
    return result


def get_progress(*, now: datetime, window: timedelta) -> dict[str, dict[str, int]]:
    """Sum what each category settled within the window, from the per-minute roll-up."""
    rows = (
        Progress.objects.filter(minute__gte=now - window)
        .values("category")
        .annotate(Sum("done"), Sum("retried"), Sum("dead"), Sum("discarded"), Sum("superseded"))
    )
    return {
        row["category"]: {
            "done": row["done__sum"],
            "retried": row["retried__sum"],
            "dead": row["dead__sum"],
            "discarded": row["discarded__sum"],
            "superseded": row["superseded__sum"],
        }
        for row in rows
    }
