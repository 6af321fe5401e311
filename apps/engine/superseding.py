"""Coalescing: of a stream whose handler only states how things are now, the newest runs alone."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.dispatch.operations import find_newest_waiting, lease_newest
from apps.dispatch.work import Claimed
from apps.engine.settling import Tally
from apps.events.operations import supersede
from apps.fallback.burying import resolve
from apps.fallback.models import DeadLetterState
from apps.tenants.entering import TenantRef, assert_server_inside, entering
from pms_events.handlers import handlers


def take_newest(
    batch: Sequence[Claimed], *, lease: UUID, tenants: Mapping[int, TenantRef]
) -> tuple[list[Claimed], Tally]:
    """Put the newest of each coalescing stream in the place of its claimed head, under the same lease.

    The heads and what waited between end as superseded, before anything runs: each tenant's in one
    transaction. Gives what is to run now.
    """
    total = Tally()
    kept = [d for d in batch if not _coalesces(d) or d.tenant_id not in tenants]
    heads = [d for d in batch if _coalesces(d) and d.tenant_id in tenants]
    for tenant_id in sorted({d.tenant_id for d in heads}):
        group = [d for d in heads if d.tenant_id == tenant_id]
        with entering(tenants[tenant_id]):
            remaining, superseded = _take(group, lease=lease, tenant=tenants[tenant_id])
        kept += remaining
        total.add(Tally(superseded=superseded).of(tenant_id))
    return sorted(kept, key=lambda d: (d.tenant_id, d.id)), total


def _coalesces(delivery: Claimed) -> bool:
    handler = handlers.find(delivery.handler)
    return handler is not None and handler.coalesce and delivery.stream is not None


def _take(heads: Sequence[Claimed], *, lease: UUID, tenant: TenantRef) -> tuple[list[Claimed], int]:
    with transaction.atomic():
        assert_server_inside(tenant)
        newest = find_newest_waiting([d.key for d in heads if d.key is not None])
        if not newest:
            return list(heads), 0
        pairs = [(heads[n].id, id_) for n, id_ in newest.items()]
        ended = supersede(pairs, lease=lease)
        running = lease_newest(ended.newest, lease=lease, lease_for=settings.LEASE)
        if ended.redriven:
            resolve(ended.redriven, state=DeadLetterState.RESOLVED)
    untouched = [d for n, d in enumerate(heads) if n not in newest]
    return untouched + running, ended.count
