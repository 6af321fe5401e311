"""What the hot tables say: backlog, what an event still owes, what is due. No counting of logs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.dispatch.doorbells import ROUTE
from apps.dispatch.models import Arrival, Chore, PendingDelivery, State
from apps.dispatch.sampling import get_waiting, is_big


def get_pending_of(tenant_id: int, uids: Sequence[UUID]) -> list[PendingDelivery]:
    """Give the unfinished deliveries of some events, oldest first."""
    rows = PendingDelivery.objects.filter(event_uid__in=uids, tenant_id=tenant_id)
    return list(rows.order_by("id"))


def get_unrouted(tenant_id: int, uids: Sequence[UUID]) -> set[UUID]:
    """Tell which of these events have arrived and are not routed yet."""
    rows = Arrival.objects.filter(event_uid__in=uids, tenant_id=tenant_id, replay_id=None)
    return set(rows.values_list("event_uid", flat=True))


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

    It waits since its event was accepted, or since it was due when it was retried or redriven.
    Counted now while the table is small; from the last sample when it is big.
    """
    if is_big(now=now):
        return {
            name: {**found.states, "oldest_wait_seconds": _seconds(found.oldest_at, now)}
            for name, found in get_waiting(tenant_id).items()
            if name != ROUTE
        }
    sql = """
        SELECT category, state, count(*), min(COALESCE(due_at, accepted_at))
        FROM dispatch_pendingdelivery
        WHERE %(tenant)s::int IS NULL OR tenant_id = %(tenant)s
        GROUP BY category, state"""
    result: dict[str, dict[str, Any]] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, {"tenant": tenant_id})
        for category, state, count, oldest in cursor.fetchall():
            entry = result.setdefault(category, {"oldest_wait_seconds": 0.0})
            entry[state] = count
            if state in (State.READY, State.RUNNING):
                wait = _seconds(oldest, now)
                entry["oldest_wait_seconds"] = max(entry["oldest_wait_seconds"], wait)
    return result


def _seconds(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
