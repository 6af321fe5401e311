"""Many dead letters at once: few inside the request, more as a durable row that survives restarts.

A step decides the next chunk and moves the cursor in one transaction; so a step that is lost or
doubled loses and doubles nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.dispatch.operations import end_chore, set_chore
from apps.fallback.caring import UnknownAssignee
from apps.fallback.filters import DeadLetterFilter
from apps.fallback.models import BulkAction, BulkState
from apps.fallback.orders import Order, carry_out
from apps.fallback.selecting import Selection
from apps.tenants.entering import current_tenant

KIND = "bulk_action"
MOST_IDS = 10_000
AT_ONCE = 50
CHUNK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of a decision: done at once (`changed`), or begun in the background (`bulk`)."""

    matched: int
    changed: int
    bulk: BulkAction | None = None


def decide(selection: Selection, order: Order, *, now: datetime) -> Decided:
    """Decide at once what is not more than `AT_ONCE`, and begin a bulk action for more.

    Raises: NoteMissing, UnknownAssignee; nothing was done.
    """
    order.check()
    few = list(selection.query()[: AT_ONCE + 1])
    if len(few) > AT_ONCE:
        bulk = start_bulk_action(selection, order, now=now)
        return Decided(matched=bulk.total, changed=0, bulk=bulk)
    return Decided(matched=len(few), changed=carry_out(order, few, now=now))


def start_bulk_action(selection: Selection, order: Order, *, now: datetime) -> BulkAction:
    """Freeze a selection and begin. Raises: NoteMissing, UnknownAssignee."""
    order.check()
    with transaction.atomic():
        bulk = BulkAction.objects.create(
            action=order.action,
            actor=order.actor[:150],
            note=order.note,
            assignee_name=order.assignee,
            filter=selection.filter.as_json() if selection.filter is not None else None,
            ids=selection.ids,
            cutoff=selection.cutoff,
            total=selection.query().order_by().count(),
            created_at=now,
        )
        set_chore(tenant_id=current_tenant().id, kind=KIND, ref=bulk.pk, due_at=now)
    return bulk


def step_bulk_action(bulk_id: int, *, now: datetime) -> BulkAction | None:
    """Decide the next chunk; gives the bulk action, or None when another is at it or it is gone."""
    tenant = current_tenant()
    with transaction.atomic():
        locked = BulkAction.objects.select_for_update(skip_locked=True)
        bulk = locked.filter(pk=bulk_id).first()
        if bulk is None:
            if not BulkAction.objects.filter(pk=bulk_id).exists():
                end_chore(tenant_id=tenant.id, kind=KIND, ref=bulk_id)
            return None
        if bulk.state == BulkState.RUNNING:
            _take_next(bulk, now=now)
            bulk.save()
        if bulk.state == BulkState.RUNNING:
            set_chore(tenant_id=tenant.id, kind=KIND, ref=bulk.pk, due_at=now)
        else:
            end_chore(tenant_id=tenant.id, kind=KIND, ref=bulk.pk)
    return bulk


def _take_next(bulk: BulkAction, *, now: datetime) -> None:
    order = Order(action=bulk.action, actor=bulk.actor, note=bulk.note, assignee=bulk.assignee_name)
    part = list(_selection_of(bulk).after(bulk.cursor_died_at, bulk.cursor_id)[:CHUNK])
    try:
        bulk.done += carry_out(order, part, now=now, bulk=bulk)
    except UnknownAssignee as error:
        # The user was removed while it ran: a step that can never succeed must not come back.
        bulk.stopped_because = str(error)[:200]
        bulk.state, bulk.finished_at = BulkState.CANCELLED, now
        return
    if part:
        bulk.cursor_died_at, bulk.cursor_id = part[-1].died_at, part[-1].pk
    if len(part) < CHUNK:
        bulk.skipped = max(0, bulk.total - bulk.done)
        bulk.state, bulk.finished_at = BulkState.DONE, now


def _selection_of(bulk: BulkAction) -> Selection:
    kept: dict[str, Any] | None = bulk.filter
    return Selection(
        cutoff=bulk.cutoff,
        filter=DeadLetterFilter.from_json(kept) if kept is not None else None,
        ids=bulk.ids,
    )


def cancel_bulk_action(bulk_id: int, *, actor: str, now: datetime) -> bool:
    """Stop a bulk action; what it has decided stays decided. False when it had ended before."""
    with transaction.atomic():
        changed = BulkAction.objects.filter(pk=bulk_id, state=BulkState.RUNNING).update(
            state=BulkState.CANCELLED,
            finished_at=now,
            stopped_because=f"cancelled by {actor}"[:200],
        )
        end_chore(tenant_id=current_tenant().id, kind=KIND, ref=bulk_id)
    return bool(changed)
