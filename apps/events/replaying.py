"""Replays: logged events delivered again, as a durable row that survives every restart.

A step marks the next events of the frozen filter as arrived, in the bulk lane, and moves the cursor
in the same transaction; so a step that is lost or doubled loses and doubles nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Count

from apps.dispatch.doorbells import ring_router_on_commit
from apps.dispatch.models import Lane
from apps.dispatch.operations import add_arrivals, end_chore, set_chore
from apps.dispatch.routes import get_routes
from apps.events.filters import EventFilter
from apps.events.log import walk
from apps.events.models import Event, Replay, ReplayState
from apps.tenants.entering import current_tenant
from pms_events.event_types import catalogue
from pms_events.handlers import Effects, handlers
from pms_events.routing import Fact, plan

STEP = 500
SAMPLES = 5
MOST_RATE = 100_000
KIND = "replay"
STAYS_SILENT = "it acts on the outside, and a replay keeps the outside silent unless asked"
SWITCHED_OFF = "this tenant switched it off for these events"


class BadReplay(ValueError):
    """The request for a replay contradicts itself; the message says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a replay would do: events by type, deliveries by handler, what is suppressed, samples.

    `reasons` says of each suppressed handler why it stays silent.
    """

    total: int
    by_type: dict[str, int]
    by_handler: dict[str, int]
    suppressed: dict[str, int]
    reasons: dict[str, str]
    samples: list[dict[str, Any]]


def check_handlers(names: Sequence[str] | None) -> None:
    """Raises: BadReplay when a handler does not exist."""
    unknown = [name for name in names or () if handlers.find(name) is None]
    if unknown:
        known = ", ".join(sorted(h.name for h in handlers))
        raise BadReplay(f"there is no handler {unknown[0]!r}: choose from {known}")


def preview_replay(
    chosen: EventFilter,
    *,
    handler_names: Sequence[str] | None,
    include_external: bool,
    cutoff: datetime | None = None,
) -> Preview:
    """Say what a replay of these events would do, without doing it. Events after `cutoff` are not
    part of it. Raises: BadReplay.
    """
    check_handlers(handler_names)
    if cutoff is not None:
        chosen = chosen.recorded_until(cutoff)
    events = chosen.apply(Event.objects.all())
    by_type = dict(
        events.order_by().values_list("type").annotate(n=Count("uid")).values_list("type", "n")
    )
    by_handler: Counter[str] = Counter()
    suppressed: Counter[str] = Counter()
    reasons: dict[str, str] = {}
    for name, count in sorted(by_type.items()):
        fact = Fact(type=name, handlers=handler_names, include_external=include_external)
        would = _planned(fact)
        by_handler.update({handler: count * targets for handler, targets in would.items()})
        for handler, (targets, why) in _silenced(fact, would).items():
            suppressed[handler] += count * targets
            reasons[handler] = why
    first = walk(chosen, limit=SAMPLES, is_newest_first=False).events
    return Preview(
        total=sum(by_type.values()),
        by_type=by_type,
        by_handler=dict(by_handler),
        suppressed=dict(suppressed),
        reasons=reasons,
        samples=[
            {"uid": str(e.uid), "type": e.type, "subject": e.subject, "time": e.time} for e in first
        ],
    )


def _planned(fact: Fact, *, with_rules: bool = True) -> Counter[str]:
    """Count the deliveries of one event by handler, as the router would make them now."""
    tenant = current_tenant().id
    subscriptions, rules = get_routes({tenant})[tenant]
    plans = plan(
        fact,
        types=catalogue,
        registry=handlers,
        subscriptions=subscriptions,
        rules=rules if with_rules else [],
    )
    return Counter(planned.handler for planned in plans)


def _silenced(fact: Fact, would: Counter[str]) -> dict[str, tuple[int, str]]:
    """Tell which handlers would run if nothing held them back, how often an event, and what does."""
    told: dict[str, tuple[int, str]] = {}
    everything = _planned(replace(fact, handlers=None, include_external=True), with_rules=False)
    allowed = _planned(replace(fact, handlers=None, include_external=True))
    for name, targets in everything.items():
        handler = handlers.find(name)
        is_external = handler is not None and handler.effects is Effects.EXTERNAL
        if name in would or (fact.handlers is not None and name not in fact.handlers):
            continue
        if name not in allowed:
            told[name] = targets, SWITCHED_OFF
        elif is_external and not fact.include_external:
            told[name] = targets, STAYS_SILENT
    return told


def start_replay(
    chosen: EventFilter,
    *,
    handler_names: Sequence[str] | None,
    include_external: bool,
    rate: int | None,
    requested_by: str,
    reason: str,
    now: datetime,
    cutoff: datetime | None = None,
    preview: UUID | None = None,
) -> Replay:
    """Freeze the filter and begin. Events recorded after `cutoff` (default: now) are no part of it.

    A second start from the same `preview` gives the replay of the first. Raises: BadReplay.
    """
    check_handlers(handler_names)
    if handler_names is not None and not handler_names:
        raise BadReplay("no handler is named: name at least one, or leave handlers out for all")
    if rate is not None and not 1 <= rate <= MOST_RATE:
        raise BadReplay(f"the rate is in events a second: from 1 to {MOST_RATE}")
    values = {
        "filter": chosen.as_json(),
        "handlers": None if handler_names is None else list(handler_names),
        "include_external": include_external,
        "rate": rate,
        "total": chosen.recorded_until(cutoff or now).apply(Event.objects.all()).count(),
        "cutoff": cutoff or now,
        "requested_by": requested_by[:150],
        "reason": reason[:500],
        "created_at": now,
    }
    with transaction.atomic():
        replay, is_new = Replay.objects.get_or_create(preview=preview or uuid4(), defaults=values)
        if is_new:
            set_chore(tenant_id=current_tenant().id, kind=KIND, ref=replay.pk, due_at=now)
    return replay


def step_replay(replay_id: int, *, now: datetime) -> Replay | None:
    """Replay the next events; gives the replay, or None when another is at it or it is gone.

    A step that finds fewer events than it may take has looked through a part of the log: the cursor
    moves on, and the next step goes on from there.
    """
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
        next_ones = walk(
            EventFilter.from_json(replay.filter).recorded_until(replay.cutoff),
            limit=min(STEP, replay.rate or STEP),
            start=replay.cursor_uid,
            is_newest_first=False,
        )
        events = next_ones.events
        add_arrivals(
            [
                (tenant.id, e.uid, e.type, e.stream, now, int(Lane.BULK), replay.handlers, "",
                 replay.include_external, replay.pk, None)
                for e in events
            ]
        )  # fmt: skip
        ring_router_on_commit()
        replay.replayed += len(events)
        if next_ones.reached is None:
            replay.state, replay.finished_at = ReplayState.DONE, now
            end_chore(tenant_id=tenant.id, kind=KIND, ref=replay.pk)
        else:
            replay.cursor_uid = next_ones.reached
            pause = timedelta(seconds=len(events) / replay.rate) if replay.rate else timedelta(0)
            set_chore(tenant_id=tenant.id, kind=KIND, ref=replay.pk, due_at=now + pause)
        replay.save()
    return replay
