"""The worker loop: claim a fair batch of a category, run it tenant by tenant, settle."""

import itertools
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from apps.dispatch import operations
from apps.dispatch.models import Lane
from apps.dispatch.work import Claimed
from apps.engine.database_effects import can_end_in_time, run_database_group
from apps.engine.external_effects import run_external_group
from apps.engine.settling import Tally
from apps.tenants.entering import TenantRef, entering
from apps.tenants.models import Tenant
from pms_events.handlers import Effects, handlers

log = logging.getLogger(__name__)

BULK_FIRST_EVERY = 8
"""Every n-th batch serves the bulk lane first, so that it moves under constant live load."""

_turns = itertools.count(1)
_ABSENT_DELAY = timedelta(minutes=1)


def work(category: str, *, limit: int | None = None) -> tuple[Tally, bool]:
    """Run one batch of a category; gives what became of it, and whether there may be more.

    Raises: OperationalError or InterfaceError when the database is away; what was claimed and not
    settled is given back, now or by the sweep when the lease ends.
    """
    limit = limit or settings.CLAIM_BATCH
    lanes = [Lane.LIVE, Lane.BULK]
    if next(_turns) % BULK_FIRST_EVERY == 0:
        lanes.reverse()
    total, room = Tally(), limit
    for lane in lanes:
        lease, batch = operations.claim(category, lane=lane, limit=room, lease_for=settings.LEASE)
        room -= len(batch)
        if batch:
            total.add(run_batch(batch, lease=lease))
        if room <= 0:
            break
    if room < limit:
        _note(category, total)
    return total, room <= 0


def run_batch(batch: Sequence[Claimed], *, lease: UUID) -> Tally:
    """Run what one lease holds: ordered by tenant, each tenant entered once."""
    total = Tally()
    unsettled = {delivery.id for delivery in batch}
    tenants = _tenants({delivery.tenant_id for delivery in batch})
    try:
        for tenant_id, members in itertools.groupby(batch, key=attrgetter("tenant_id")):
            group = list(members)
            tenant = tenants.get(tenant_id)
            if tenant is None:
                _put_aside(group, lease=lease)
            else:
                with entering(tenant):
                    for part in _run_group(group, lease=lease, tenant=tenant):
                        total.add(part)
            unsettled -= {delivery.id for delivery in group}
    except (OperationalError, InterfaceError):
        connection.close()
        log.warning("database lost in a batch; giving it back", extra={"count": len(unsettled)})
        operations.release(sorted(unsettled), lease=lease)
        raise
    return total


def _run_group(group: Sequence[Claimed], *, lease: UUID, tenant: TenantRef) -> Iterator[Tally]:
    """Run one tenant's deliveries: together; those that saw a crash alone, after the others."""
    together = [d for d in group if d.crashes == 0]
    if together and _time_is_left(together, lease=lease):
        yield from _run_kinds(together, lease=lease, tenant=tenant)
    for delivery in group:
        if not delivery.crashes or not _time_is_left([delivery], lease=lease):
            continue
        if operations.mark_alone(delivery.id, lease=lease):
            yield from _run_kinds([delivery], lease=lease, tenant=tenant)


def _run_kinds(group: Sequence[Claimed], *, lease: UUID, tenant: TenantRef) -> Iterator[Tally]:
    external = [d for d in group if _is_external(d)]
    database = [d for d in group if not _is_external(d)]
    if database:
        yield run_database_group(database, lease=lease, tenant=tenant)
    if external:
        yield run_external_group(external, lease=lease, tenant=tenant)


def _is_external(delivery: Claimed) -> bool:
    handler = handlers.find(delivery.handler)
    return handler is not None and handler.effects is Effects.EXTERNAL


def _time_is_left(group: Sequence[Claimed], *, lease: UUID) -> bool:
    """Give back what could not end before the lease does; others may have been slow before it."""
    if all(can_end_in_time(delivery) for delivery in group):
        return True
    operations.release([d.id for d in group], lease=lease)
    return False


def _tenants(ids: set[int]) -> dict[int, TenantRef]:
    rows = Tenant.objects.filter(id__in=ids, is_active=True).exclude(schema_name="public")
    return {
        pk: TenantRef(id=pk, schema_name=name) for pk, name in rows.values_list("id", "schema_name")
    }


def _put_aside(group: Sequence[Claimed], *, lease: UUID) -> None:
    """A switched-off tenant's work waits; a tenant that does not exist is refused for good."""
    now = datetime.now(UTC)
    tenant_id = group[0].tenant_id
    if Tenant.objects.filter(id=tenant_id).exclude(schema_name="public").exists():
        later = now + _ABSENT_DELAY
        operations.reschedule([(d.id, later, False) for d in group], lease=lease)
        return
    log.error("delivery without a tenant refused", extra={"tenant_id": tenant_id})
    operations.refuse(group, lease=lease, reason=f"there is no tenant {tenant_id}", now=now)


def _note(category: str, tally: Tally) -> None:
    operations.note_progress(
        category=category,
        minute=datetime.now(UTC).replace(second=0, microsecond=0),
        worker=f"{socket.gethostname()[:20]}:{os.getpid()}",
        done=tally.done,
        retried=tally.retried,
        dead=tally.dead,
        discarded=tally.discarded,
    )
