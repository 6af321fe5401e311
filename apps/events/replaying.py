"""Replays: logged events delivered again, as a durable row that survives every restart.

A step marks the next events of the frozen filter as arrived, in the bulk lane, and moves the cursor
in the same transaction; so a step that is lost or doubled loses and doubles nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet

from apps.dispatch.doorbells import ring_router_on_commit
from apps.dispatch.models import Lane
from apps.dispatch.operations import add_arrivals, end_chore, set_chore
from apps.dispatch.routes import get_routes
from apps.events.filters import EventFilter
from apps.events.models import Event, Replay, ReplayState
from apps.tenants.entering import current_tenant
from pms_events.event_types import catalogue
from pms_events.handlers import Effects, handlers
from pms_events.routing import Fact, plan

STEP = 500
KIND = "replay"


class BadReplay(ValueError):
    """The request for a replay contradicts itself; the message says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a replay would do: events by type, deliveries by handler, what is suppressed, samples."""

    total: int
    by_type: dict[str, int]
    by_handler: dict[str, int]
    suppressed: dict[str, int]
    samples: list[dict[str, Any]]


def check_handlers(names: Sequence[str] | None) -> None:
    """Raises: BadReplay when a handler does not exist."""
    unknown = [name for name in names or () if handlers.find(name) is None]
    if unknown:
        known = ", ".join(sorted(h.name for h in handlers))
        raise BadReplay(f"there is no handler {unknown[0]!r}: choose from {known}")


def preview_replay(
    chosen: EventFilter, *, handler_names: Sequence[str] | None, include_external: bool
) -> Preview:
    """Say what a replay of these events would do, without doing it."""
    check_handlers(handler_names)
    events = chosen.apply(Event.objects.all())
    by_type = dict(
        events.order_by().values_list("type").annotate(n=Count("uid")).values_list("type", "n")
    )
    by_handler: dict[str, int] = {}
    suppressed: dict[str, int] = {}
    tenant = current_tenant()
    subscriptions, rules = get_routes({tenant.id})[tenant.id]
    for name, count in sorted(by_type.items()):
        fact = Fact(type=name, handlers=handler_names)
        for planned in plan(
            fact, types=catalogue, registry=handlers, subscriptions=subscriptions, rules=rules
        ):
            handler = handlers.find(planned.handler)
            is_external = handler is not None and handler.effects is Effects.EXTERNAL
            where = suppressed if is_external and not include_external else by_handler
            where[planned.handler] = where.get(planned.handler, 0) + count
    samples = [
        {"uid": str(e.uid), "type": e.type, "subject": e.subject, "time": e.time}
        for e in events.order_by("uid")[:5]
    ]
    return Preview(
        total=sum(by_type.values()),
        by_type=by_type,
        by_handler=by_handler,
        suppressed=suppressed,
        samples=samples,
    )


def start_replay(
    chosen: EventFilter,
    *,
    handler_names: Sequence[str] | None,
    include_external: bool,
    rate: int | None,
    requested_by: str,
    reason: str,
    now: datetime,
) -> Replay:
    """Freeze the filter and begin. Events recorded from now on are not part of it.

    Raises: BadReplay.
    """
    check_handlers(handler_names)
    if rate is not None and rate < 1:
        raise BadReplay("the rate is in events a second: at least 1")
    with transaction.atomic():
        replay = Replay.objects.create(
            filter=chosen.as_json(),
            handlers=list(handler_names) if handler_names else None,
            include_external=include_external,
            rate=rate,
            total=chosen.apply(Event.objects.filter(recorded_at__lte=now)).count(),
            cutoff=now,
            requested_by=requested_by[:150],
            reason=reason[:500],
            created_at=now,
        )
        set_chore(tenant_id=current_tenant().id, kind=KIND, ref=replay.pk, due_at=now)
    return replay


def step_replay(replay_id: int, *, now: datetime) -> Replay | None:
    """Replay the next events; gives the replay, or None when another is at it or it is gone."""
    tenant = current_tenant()
    with transaction.atomic():
        locked = Replay.objects.select_for_update(skip_locked=True)
        replay = locked.filter(pk=replay_id).first()
        if replay is None:
            if not Replay.objects.filter(pk=replay_id).exists():
                end_chore(tenant_id=tenant.id, kind=KIND, ref=replay_id)
            return None
        if replay.state != ReplayState.RUNNING:
            end_chore(tenant_id=tenant.id, kind=KIND, ref=replay_id)
            return replay
        size = min(STEP, replay.rate or STEP)
        events = list(_remaining(replay)[:size])
        add_arrivals(
            [
                (tenant.id, e.uid, e.type, e.stream, now, int(Lane.BULK), replay.handlers, "",
                 replay.include_external, replay.pk, None)
                for e in events
            ]
        )  # fmt: skip
        ring_router_on_commit()
        replay.replayed += len(events)
        if events:
            replay.cursor_uid = events[-1].uid
            pause = timedelta(seconds=len(events) / replay.rate) if replay.rate else timedelta(0)
            set_chore(tenant_id=tenant.id, kind=KIND, ref=replay.pk, due_at=now + pause)
        if len(events) < size:
            replay.state, replay.finished_at = ReplayState.DONE, now
            end_chore(tenant_id=tenant.id, kind=KIND, ref=replay.pk)
        replay.save()
    return replay


def _remaining(replay: Replay) -> QuerySet[Event]:
    """The events still to come, in the order of the log (uids grow with the time of recording)."""
    events = EventFilter.from_json(replay.filter).apply(
        Event.objects.filter(recorded_at__lte=replay.cutoff)
    )
    if replay.cursor_uid is not None:
        events = events.filter(uid__gt=replay.cursor_uid)
    return events.order_by("uid").only("uid", "type", "stream")


def cancel_replay(replay: Replay, *, now: datetime) -> bool:
    """Stop a replay; deliveries already made still run. False when it had ended before."""
    changed = Replay.objects.filter(pk=replay.pk, state=ReplayState.RUNNING).update(
        state=ReplayState.CANCELLED, finished_at=now
    )
    end_chore(tenant_id=current_tenant().id, kind=KIND, ref=replay.pk)
    return bool(changed)
