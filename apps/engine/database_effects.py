"""Running `database` handlers: effects and settling of one tenant's group in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from apps.dispatch import operations
from apps.dispatch.work import Claimed
from apps.engine.attempting import attempt
from apps.engine.settling import Tally, settle
from apps.engine.stopping import is_stopping
from apps.events.operations import Ran
from apps.events.queries import load_events
from apps.tenants.entering import TenantRef, assert_server_inside
from pms_events.context import Event
from pms_events.handlers import handlers


class _Undone(Exception):
    """A handler of the group failed or a lease was lost: the group's transaction is undone."""


def run_database_group(deliveries: Sequence[Claimed], *, lease: UUID, tenant: TenantRef) -> Tally:
    """Run deliveries of one tenant and settle them; call it inside the tenant.

    First all together, without locks and savepoints: settling is fenced by the lease, and if one
    handler fails or one lease is lost, the transaction is undone and nothing of it has happened.
    Then the group runs again, guarded: own rows locked, a savepoint for each.
    Raises: OperationalError or InterfaceError when the database is away; the group is undone.
    """
    try:
        return _run_together(deliveries, lease=lease, tenant=tenant)
    except _Undone:
        return _run_guarded(deliveries, lease=lease, tenant=tenant)


def _run_together(deliveries: Sequence[Claimed], *, lease: UUID, tenant: TenantRef) -> Tally:
    with transaction.atomic():
        assert_server_inside(tenant)
        events = load_events({d.event_uid for d in deliveries})
        runs: list[Ran] = []
        for delivery in deliveries:
            if runs and (is_stopping() or not can_end_in_time(delivery)):
                break
            ran = attempt(delivery, events, tenant=tenant, is_trial=True)
            if ran.verdict.failure is not None:
                raise _Undone
            runs.append(ran)
        tally = settle(runs, lease=lease)
        if tally.lost:
            raise _Undone
        rest = [d.id for d in deliveries[len(runs) :]]
        tally.given_back = operations.release(rest, lease=lease)
        return tally


def _run_guarded(deliveries: Sequence[Claimed], *, lease: UUID, tenant: TenantRef) -> Tally:
    with transaction.atomic():
        assert_server_inside(tenant)
        ours = operations.lock_leased([d.id for d in deliveries], lease=lease)
        held = [d for d in deliveries if d.id in ours]
        events = load_events({d.event_uid for d in held})
        runs: list[Ran] = []
        for delivery in held:
            if runs and (is_stopping() or not can_end_in_time(delivery)):
                break
            runs.append(_attempt_in_savepoint(delivery, events, tenant=tenant))
        tally = settle(runs, lease=lease)
        tally.given_back = operations.release([d.id for d in held[len(runs) :]], lease=lease)
        tally.lost += len(deliveries) - len(held)
        return tally


def can_end_in_time(delivery: Claimed) -> bool:
    """Tell whether the delivery's handler, at its slowest, still ends within the lease."""
    handler = handlers.find(delivery.handler)
    limit = handler.limit if handler is not None else timedelta(0)
    return datetime.now(UTC) + limit < delivery.lease_until


def _attempt_in_savepoint(
    delivery: Claimed, events: Mapping[UUID, Event], *, tenant: TenantRef
) -> Ran:
    """Run one delivery so that a failure undoes its own effects only."""
    point = transaction.savepoint()
    ran = attempt(delivery, events, tenant=tenant)
    if ran.verdict.failure is None:
        transaction.savepoint_commit(point)
    else:
        # Also clears the mark that a handler's own atomic block may have left on the transaction.
        connection.needs_rollback = False
        transaction.savepoint_rollback(point)
    return ran
