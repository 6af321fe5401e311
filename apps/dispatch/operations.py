"""What is done to the hot tables, outside of routing and claiming: accept, put off, give back.

Every change of a leased delivery is fenced: it names the lease, and reports what it touched.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.dispatch.clocks import clock_columns
from apps.dispatch.doorbells import ring_on_commit, ring_router_on_commit
from apps.dispatch.locks import Lock, wait_for
from apps.dispatch.models import Chore, RefusedDelivery, TargetSubscription
from apps.dispatch.statements import copy_rows, execute, fetch
from apps.dispatch.work import Claimed, Redriven, StreamKey


def add_arrivals(rows: Sequence[tuple[Any, ...]]) -> None:
    """Mark events as accepted and not routed, in the caller's transaction.

    Rows: tenant id, event uid, type, stream, accepted at, lane, handlers or None, target,
    include_external, replay id or None, the delivery whose place a correction takes or None.
    """
    copy_rows("add_arrivals", rows)


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
    columns = key_columns(keys)
    if not fetch("any_waiting", columns):
        return set()
    return {row[0] for row in fetch("promote", {**columns, **clock_columns()})}


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
    if not ids:
        return 0
    return execute("release", {"ids": list(ids), "lease": lease, **clock_columns()})


def find_newest_waiting(keys: Sequence[StreamKey]) -> dict[int, int]:
    """Find what came last into each stream and waits; locked. Gives ids by the keys' positions."""
    return {row[0] - 1: row[1] for row in fetch("newest_waiting", key_columns(keys))}


def lease_newest(ids: Sequence[int], *, lease: UUID, lease_for: timedelta) -> list[Claimed]:
    """Put the newest of streams under our lease, in the transaction that ended their heads."""
    rows = fetch("lease_newest", {"ids": list(ids), "lease": lease, "lease_for": lease_for})
    return [Claimed(*row) for row in rows]


def mark_alone(delivery_id: int, *, lease: UUID) -> bool:
    """Note, durably, that this delivery now runs alone; False when the lease is lost."""
    sql = "UPDATE dispatch_pendingdelivery SET runs_alone = true WHERE id = %s AND lease = %s"
    with transaction.atomic(), transaction.get_connection().cursor() as cursor:
        cursor.execute(sql, [delivery_id, lease])
        return bool(cursor.rowcount)


def unhold(ids: Sequence[int]) -> None:
    """Let dead heads go that held their streams, and promote what waited behind them.

    Those that hold nothing are left as they are. In the caller's transaction.
    """
    if ids:
        become_the_writer()
        keys = fetch("unhold", {"ids": list(ids)})
        ring_on_commit(promote([(row[0], row[1], row[2], row[3]) for row in keys]))


def redrive(rows: Sequence[Redriven]) -> None:
    """Owe deliveries again under their old ids, at the place in their stream that their ids give.

    Those with a stream wait until it is free; the oldest of it goes first. In the caller's
    transaction, which keeps the router out until it ends: neither sees the other's new rows, and both
    would put a head into the same empty stream.
    """
    if not rows:
        return
    keys = [(r.tenants, r.handlers, r.targets, r.streams) for r in rows if r.streams is not None]
    if keys:
        become_the_writer()
    columns = zip(Redriven._fields, map(list, zip(*rows, strict=True)), strict=True)
    fetch("redrive", {**dict(columns), **clock_columns()})
    ring_on_commit({r.categories for r in rows} | promote(keys))


def heal_streams(*, limit: int = 1000) -> set[str]:
    """Promote what waits behind nothing; gives the categories that have new work.

    Not while somebody adds to streams: two who promote in one stream would promote two.
    """
    rows = fetch("stray_waiting", {"limit": limit})
    if not rows:
        return set()
    with transaction.atomic():
        become_the_writer()
        return promote([(row[0], row[1], row[2], row[3]) for row in rows])


def become_the_writer() -> None:
    """Wait until nobody else adds to streams, and keep others from it until the transaction ends.

    The router does not wait, it is rung when we are done; so only its batch or another redrive is
    waited for.
    """
    ring_router_on_commit()
    wait_for(Lock.WRITER)


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
