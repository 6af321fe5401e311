"""The sweep: every second, what makes lost doorbells, dead workers and due retries harmless."""

import itertools
import logging
from collections import defaultdict
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from apps.dispatch import doorbells, operations, queries
from apps.dispatch.arrivals import find_oldest_arrival
from apps.dispatch.caps import get_caps, is_closed, unpark
from apps.dispatch.clocks import read_clocks
from apps.dispatch.locks import Lock, trying
from apps.dispatch.marks import Pace
from apps.dispatch.models import Chore, Lane
from apps.dispatch.progress import prune_progress
from apps.dispatch.sampling import get_tenants_over, sample_when_due
from apps.dispatch.sweeping import expire_leases, make_due
from apps.dispatch.work import Claimed
from apps.engine.settling import settle
from apps.engine.watching import ROUTE, watch
from apps.events.limits import mark_backlog_full
from apps.events.operations import Ran
from apps.tenants.entering import UnknownTenant, entering, get_tenant_by_id
from pms_events.verdicts import Failure, Kind, Reason, Verdict

log = logging.getLogger(__name__)
_BACKLOG_EVERY = 5
_PRUNE_EVERY = 600
_runs = itertools.count()
_healing = Pace(least_seconds=10, most_seconds=600)
"""It looks at all that waits behind something: seldom where that is much."""


def sweep() -> list[Chore]:
    """Do one pass; gives the operator tasks whose next step is due. Nothing when another sweeps."""
    with trying(Lock.SWEEP) as is_ours:
        return _sweep(next(_runs)) if is_ours else []


def _sweep(run: int) -> list[Chore]:
    now = datetime.now(UTC)
    make_due()
    lease, poison, _ = expire_leases(lease_for=settings.LEASE)
    if poison:
        _bury_poison(poison, lease=lease, now=now)
    unpark()
    if _healing.is_due:
        with _healing.looking_from_the_bottom():
            operations.heal_streams()
    if run % _PRUNE_EVERY == 0:
        prune_progress(now=now)
    oldest_arrival = find_oldest_arrival()
    waiting = _get_waiting()
    if oldest_arrival is not None:
        waiting = [ROUTE, *waiting]
    for name in waiting:
        # Insisted on: a coalesced doorbell may be exactly the one that was lost.
        doorbells.ring(name, insist=True)
    # After the doorbells: counting a big table takes its time, and nobody has to wait for it.
    is_counted = sample_when_due(now=now)
    if is_counted or run % _BACKLOG_EVERY == 0:
        mark_backlog_full(get_tenants_over(settings.BACKLOG_LIMIT))
    watch(waiting=waiting, oldest_arrival=oldest_arrival, now=now)
    return queries.get_due_chores(now=now)


def _get_waiting() -> list[str]:
    """Tell which categories have ready work that is not paused."""
    places = [(name, int(lane)) for name in doorbells.CATEGORIES for lane in Lane]
    ready = {place[0] for place, clock in read_clocks(places).items() if clock.turn is not None}
    caps = get_caps() if ready else []
    return [name for name in sorted(ready) if not is_closed(caps, category=name)]


def _bury_poison(poison: list[Claimed], *, lease: UUID, now: datetime) -> None:
    """Put deliveries that keep killing their workers before a person of their tenant."""
    by_tenant: dict[int, list[Claimed]] = defaultdict(list)
    for delivery in poison:
        by_tenant[delivery.tenant_id].append(delivery)
    for tenant_id, group in by_tenant.items():
        try:
            tenant = get_tenant_by_id(tenant_id)
        except UnknownTenant as error:
            operations.refuse(group, lease=lease, reason=str(error), now=now)
            continue
        told = {"tenant": tenant.schema_name, "count": len(group)}
        try:
            with entering(tenant), transaction.atomic():
                settle([_poisoned(delivery, now=now) for delivery in group], lease=lease)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is one tenant's
            # The others' must not stand still with it. It is tried again when this lease ends.
            # What the database says of a row has its content: the log gets none of it.
            ids = [delivery.id for delivery in group]
            why = {"error": type(error).__name__, "deliveries": ids}
            log.error("poison not buried", extra=told | why)
        else:
            log.error("poison buried", extra=told)


def _poisoned(delivery: Claimed, *, now: datetime) -> Ran:
    failure = Failure(
        error_class="WorkerDied",
        message=f"the worker died {delivery.crashes} times while '{delivery.handler}' ran this: "
        "mend the handler, then retry",
    )
    verdict = Verdict(kind=Kind.DEAD, reason=Reason.POISON, failure=failure)
    return Ran(delivery=delivery, verdict=verdict, started_at=now, finished_at=now)
