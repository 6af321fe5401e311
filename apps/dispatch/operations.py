"""What is done to the hot tables, outside of routing: accept, claim, finish, put off, sweep.

Every change of a leased delivery is fenced: it names the lease, and reports what it touched.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from apps.dispatch.models import Chore, Lane, RefusedDelivery, TargetSubscription
from apps.dispatch.statements import execute, fetch, insert_values
from apps.dispatch.work import Claimed, StreamKey
from pms_events.verdicts import MAX_CRASHES

_ADD_ARRIVALS = """INSERT INTO dispatch_arrival (tenant_id, event_uid, type, stream, accepted_at,
lane, handlers, target, include_external, replay_id) VALUES %s"""


def add_arrivals(rows: Sequence[tuple[Any, ...]]) -> None:
    """Mark events as accepted and not routed, in the caller's transaction.

    Rows: tenant id, event uid, type, stream, accepted at, lane, handlers or None, target,
    include_external, replay id or None.
    """
    insert_values(_ADD_ARRIVALS, rows)


def claim(
    category: str, *, lane: Lane, limit: int, lease_for: timedelta
) -> tuple[UUID, list[Claimed]]:
    """Lease up to `limit` ready deliveries, in the fair order; commits. Gives the lease token."""
    lease = uuid4()
    rows = fetch(
        "claim",
        {
            "category": category,
            "lane": int(lane),
            "limit": limit,
            "lease": lease,
            "lease_for": lease_for,
        },
    )
    return lease, sorted((Claimed(*row) for row in rows), key=lambda c: (c.tenant_id, c.id))


def lock_leased(ids: Sequence[int], *, lease: UUID) -> set[int]:
    """Lock the deliveries that are still ours, until the transaction ends; gives their ids."""
    return {row[0] for row in fetch("lock_leased", {"ids": list(ids), "lease": lease})}


def remove(ids: Sequence[int], *, lease: UUID) -> set[int]:
    """Remove deliveries that can run nowhere; gives those that were still ours."""
    if not ids:
        return set()
    return {row[0] for row in fetch("remove", {"ids": sorted(ids), "lease": lease})}


def promote(keys: Iterable[StreamKey]) -> set[str]:
    """Make the next delivery of each stream ready; gives the categories that have new work."""
    keys = list(keys)
    if not keys:
        return set()
    return {row[0] for row in fetch("promote", key_columns(keys))}


def key_columns(keys: Sequence[StreamKey]) -> dict[str, list[Any]]:
    """Turn stream keys into the array parameters that the SQL files take."""
    tenants, handlers, targets, streams = zip(*keys, strict=True)
    return {
        "tenants": list(tenants),
        "handlers": list(handlers),
        "targets": list(targets),
        "streams": list(streams),
    }


def reschedule(rows: Sequence[tuple[int, datetime, bool]], *, lease: UUID) -> set[int]:
    """Put deliveries off. Rows: id, due at, whether it failed (a snooze did not and is free)."""
    if not rows:
        return set()
    found = fetch(
        "reschedule",
        {
            "ids": [row[0] for row in rows],
            "due": [row[1] for row in rows],
            "failed": [int(row[2]) for row in rows],
            "refund": [int(not row[2]) for row in rows],
            "lease": lease,
        },
    )
    return {row[0] for row in found}


def release(ids: Sequence[int], *, lease: UUID) -> int:
    """Give claimed deliveries back unstarted; their attempt is not counted."""
    return execute("release", {"ids": list(ids), "lease": lease}) if ids else 0


def mark_alone(delivery_id: int, *, lease: UUID) -> bool:
    """Note, durably, that this delivery now runs alone; False when the lease is lost."""
    sql = "UPDATE dispatch_pendingdelivery SET runs_alone = true WHERE id = %s AND lease = %s"
    with transaction.atomic(), transaction.get_connection().cursor() as cursor:
        cursor.execute(sql, [delivery_id, lease])
        return bool(cursor.rowcount)


def make_due(*, limit: int = 2000) -> set[str]:
    """Make deliveries ready whose time has come; gives the categories that have new work."""
    return {row[0] for row in fetch("make_due", {"limit": limit})}


def expire_leases(
    *, lease_for: timedelta, limit: int = 1000
) -> tuple[UUID, list[Claimed], set[str]]:
    """Take back what dead workers held.

    Gives a lease token, the deliveries that crashed too often (now ours under that token, to be
    buried), and the categories of those that are ready again.
    """
    lease = uuid4()
    rows = fetch(
        "expired",
        {"limit": limit, "lease": lease, "lease_for": lease_for, "max_crashes": MAX_CRASHES},
    )
    poison = [Claimed(*row[:-1]) for row in rows if row[-1] == "running"]
    return lease, poison, {row[6] for row in rows if row[-1] == "ready"}


def heal_streams(*, limit: int = 1000) -> set[str]:
    """Promote what waits behind nothing; gives the categories that have new work."""
    rows = fetch("stray_waiting", {"limit": limit})
    return promote([(row[0], row[1], row[2], row[3]) for row in rows])


def refuse(deliveries: Sequence[Claimed], *, lease: UUID, reason: str, now: datetime) -> None:
    """Take deliveries without a valid tenant out of the way and keep them for the platform."""
    with transaction.atomic():
        ours = remove([d.id for d in deliveries], lease=lease)
        RefusedDelivery.objects.bulk_create(
            [
                RefusedDelivery(
                    delivery_id=d.id,
                    tenant_id=d.tenant_id,
                    event_uid=d.event_uid,
                    handler=d.handler,
                    reason=reason[:200],
                    refused_at=now,
                )
                for d in deliveries
                if d.id in ours
            ],
            ignore_conflicts=True,
        )


def redrive(rows: Sequence[tuple[Any, ...]], keys: Sequence[StreamKey]) -> None:
    """Owe deliveries again under their old ids, at the place in their stream that their ids give.

    Rows: see `_REDRIVE`. Those with a stream wait until it is free; `promote` follows at once.
    In the caller's transaction.
    """
    insert_values(_REDRIVE, rows)
    promote(keys)


_REDRIVE = """INSERT INTO dispatch_pendingdelivery (id, tenant_id, event_uid, handler, target,
stream, category, priority, state, attempts, accepted_at, lane, turn, failures, crashes,
include_external, is_redriven, runs_alone)
SELECT v.*, 0, COALESCE((SELECT r.turn FROM dispatch_pendingdelivery r
        WHERE r.state = 'ready' AND r.category = v.category AND r.lane = 0
        ORDER BY r.turn LIMIT 1), 0), 0, 0, true, true, false
FROM (VALUES %s) AS v(id, tenant_id, event_uid, handler, target, stream, category, priority, state,
                      attempts, accepted_at)"""


def set_subscription(*, tenant_id: int, handler: str, target: str, patterns: Sequence[str]) -> None:
    """Make a target receive events of these patterns, from the next routed event on."""
    TargetSubscription.objects.update_or_create(
        tenant_id=tenant_id,
        handler=handler,
        target=target,
        defaults={"patterns": list(patterns)},
    )


def remove_subscription(*, tenant_id: int, handler: str, target: str) -> None:
    """Stop routing to a target. Nothing happens when it had no subscription."""
    TargetSubscription.objects.filter(tenant_id=tenant_id, handler=handler, target=target).delete()


def set_chore(*, tenant_id: int, kind: str, ref: int, due_at: datetime) -> None:
    """Remember that an operator task has a next step, and when."""
    Chore.objects.update_or_create(
        tenant_id=tenant_id, kind=kind, ref=ref, defaults={"due_at": due_at}
    )


def end_chore(*, tenant_id: int, kind: str, ref: int) -> None:
    """Forget an operator task that has no next step."""
    Chore.objects.filter(tenant_id=tenant_id, kind=kind, ref=ref).delete()


def note_progress(
    *, category: str, minute: datetime, worker: str, done: int, retried: int, dead: int,
    discarded: int,
) -> None:  # fmt: skip
    """Add one batch to this worker's row of the minute."""
    with transaction.get_connection().cursor() as cursor:
        cursor.execute(_PROGRESS, [category, minute, worker, done, retried, dead, discarded])


_PROGRESS = """INSERT INTO dispatch_progress AS p (category, minute, worker, done, retried, dead,
discarded) VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (category, minute, worker) DO UPDATE SET done = p.done + EXCLUDED.done,
retried = p.retried + EXCLUDED.retried, dead = p.dead + EXCLUDED.dead,
discarded = p.discarded + EXCLUDED.discarded"""
