"""The worker loop: claim a fair batch of a category, run it tenant by tenant, settle."""

import itertools
import logging
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from apps.dispatch import operations
from apps.dispatch.claiming import claim
from apps.dispatch.models import Lane
from apps.dispatch.progress import Counts, note_progress
from apps.dispatch.work import Claimed
from apps.engine.database_effects import can_end_in_time, run_database_group
from apps.engine.external_effects import run_external
from apps.engine.settling import Tally
from apps.engine.stopping import is_stopping
from apps.engine.superseding import take_newest
from apps.tenants.entering import TenantRef, entering
from apps.tenants.models import Tenant
from pms_events.handlers import Effects, handlers

log = logging.getLogger(__name__)

BULK_FIRST_EVERY = 8
"""Every n-th batch serves the bulk lane first, so that it moves under constant live load."""

ROUNDS_OUTSIDE = 8
"""How many deliveries a thread gets of a batch that talks to the outside."""

_turns = itertools.count(1)
_ABSENT_DELAY = timedelta(minutes=1)


def work(category: str, *, limit: int | None = None) -> tuple[Tally, bool]:
    """Run one batch of a category; gives what became of it, and whether there may be more.

    Raises: OperationalError or InterfaceError when the database is away; what was claimed and not
    settled is given back, now or by the sweep when the lease ends.
    """
    limit = limit or _usual_batch(category)
    lanes = [Lane.LIVE, Lane.BULK]
    if next(_turns) % BULK_FIRST_EVERY == 0:
        lanes.reverse()
    total, room = Tally(), limit
    for lane in lanes:
        lease, batch = claim(category, lane=lane, limit=room, lease_for=settings.LEASE)
        room -= len(batch)
        if batch:
            total.add(run_batch(batch, lease=lease))
        if room <= 0:
            break
    if total.moved:
        _note(category, total)
    return total, room <= 0 or bool(total.given_back)


def _usual_batch(category: str) -> int:
    """How much to claim: what talks to the outside is slow, and what is claimed others cannot run."""
    talks = any(h.category == category and h.effects is Effects.EXTERNAL for h in handlers)
    at_once = settings.EXTERNAL_THREADS * ROUNDS_OUTSIDE
    return min(settings.CLAIM_BATCH, at_once) if talks else settings.CLAIM_BATCH


def run_batch(batch: Sequence[Claimed], *, lease: UUID) -> Tally:
    """Run what one lease holds: databases' effects tenant by tenant, then the outside side by side.

    Deliveries that were there when a worker died run after the others, each alone.
    """
    tenants = _tenants({delivery.tenant_id for delivery in batch})
    batch, total = take_newest(batch, lease=lease, tenants=tenants)
    unsettled = _ids(batch)
    try:
        for part, ids in _run_parts(batch, lease=lease, tenants=tenants):
            total.add(part)
            unsettled -= ids
    except (OperationalError, InterfaceError):
        connection.close()
        log.warning("database lost in a batch; giving it back", extra={"count": len(unsettled)})
        operations.release(sorted(unsettled), lease=lease)
        raise
    return total


def _run_parts(
    batch: Sequence[Claimed], *, lease: UUID, tenants: Mapping[int, TenantRef]
) -> Iterator[tuple[Tally, set[int]]]:
    """Run a batch part by part; gives what became of each and which deliveries it had."""
    external: dict[TenantRef, list[Claimed]] = {}
    suspects: list[tuple[TenantRef, Claimed]] = []
    for tenant_id, members in itertools.groupby(batch, key=attrgetter("tenant_id")):
        group = list(members)
        tenant = tenants.get(tenant_id)
        if tenant is None:
            yield _put_aside(group, lease=lease), _ids(group)
            continue
        suspects += [(tenant, d) for d in group if d.crashes]
        outside = [d for d in group if not d.crashes and _is_external(d)]
        if outside:
            external[tenant] = outside
        inside = [d for d in group if not d.crashes and not _is_external(d)]
        if inside:
            yield _run_inside(inside, lease=lease, tenant=tenant), _ids(inside)
    if external:
        # Told first: what talks to the outside is given back by `run_external`, or by nobody.
        yield Tally(), _ids(itertools.chain(*external.values()))
        yield run_external(external, lease=lease), set()
    for tenant, suspect in suspects:
        if _is_external(suspect):
            yield Tally(), {suspect.id}
        yield _run_alone(suspect, lease=lease, tenant=tenant), {suspect.id}


def _run_inside(group: Sequence[Claimed], *, lease: UUID, tenant: TenantRef) -> Tally:
    """Run database effects, unless the batch was so slow that the lease might end first."""
    if is_stopping() or not all(can_end_in_time(delivery) for delivery in group):
        return Tally(given_back=operations.release([d.id for d in group], lease=lease))
    with entering(tenant):
        return run_database_group(group, lease=lease, tenant=tenant)


def _run_alone(delivery: Claimed, *, lease: UUID, tenant: TenantRef) -> Tally:
    """Run a suspect, after noting that it runs alone: from now on a crash is its own."""
    if is_stopping() or not can_end_in_time(delivery):
        return Tally(given_back=operations.release([delivery.id], lease=lease))
    if not operations.mark_alone(delivery.id, lease=lease):
        return Tally(lost=1)
    if _is_external(delivery):
        return run_external({tenant: [delivery]}, lease=lease)
    return _run_inside([delivery], lease=lease, tenant=tenant)


def _ids(deliveries: Iterable[Claimed]) -> set[int]:
    return {delivery.id for delivery in deliveries}


def _is_external(delivery: Claimed) -> bool:
    handler = handlers.find(delivery.handler)
    return handler is not None and handler.effects is Effects.EXTERNAL


def _tenants(ids: set[int]) -> dict[int, TenantRef]:
    rows = Tenant.objects.filter(id__in=ids, is_active=True).exclude(schema_name="public")
    return {
        pk: TenantRef(id=pk, schema_name=name) for pk, name in rows.values_list("id", "schema_name")
    }


def _put_aside(group: Sequence[Claimed], *, lease: UUID) -> Tally:
    """A switched-off tenant's work waits; a tenant that does not exist is refused for good."""
    now = datetime.now(UTC)
    tenant_id = group[0].tenant_id
    if Tenant.objects.filter(id=tenant_id).exclude(schema_name="public").exists():
        later = now + _ABSENT_DELAY
        operations.reschedule([(d.id, later, False) for d in group], lease=lease)
        return Tally()
    log.error("delivery without a tenant refused", extra={"tenant_id": tenant_id})
    operations.refuse(group, lease=lease, reason=f"there is no tenant {tenant_id}", now=now)
    return Tally()


def _note(category: str, tally: Tally) -> None:
    """Add what became of a batch to the roll-ups: this category's, and those of its tenants."""
    now = datetime.now(UTC)
    worker = f"{socket.gethostname()[:20]}:{os.getpid()}"
    note_progress(
        {tenant_id: _counts(part) for tenant_id, part in tally.tenants.items() if part.moved},
        category=category,
        now=now,
        worker=worker,
    )


def _counts(tally: Tally) -> Counts:
    return Counts(
        done=tally.done,
        retried=tally.retried,
        dead=tally.dead,
        discarded=tally.discarded,
        superseded=tally.superseded,
    )
