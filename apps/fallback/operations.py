"""What a person does with a dead letter: retry, correct and retry, discard.

Each changes the state only where it still is `open`, so that of two people who act at once the
second is told and nothing runs twice. The original event is never touched.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.dispatch.doorbells import ring_router_on_commit
from apps.dispatch.models import Lane
from apps.dispatch.operations import add_arrivals, redrive, unhold
from apps.dispatch.work import Redriven
from apps.events.models import Delivery, DeliveryState, Event
from apps.events.queries import get_replays_of
from apps.events.store import Lineage, store_events
from apps.fallback.correcting import check_correction
from apps.fallback.models import BulkAction, DeadLetter, DeadLetterState, Review
from apps.tenants.entering import TenantRef, current_tenant
from pms_events.envelope import Envelope
from pms_events.event_types import catalogue
from pms_events.identifiers import new_uid
from pms_events.routing import UNKNOWN_TYPE


class AlreadyDecided(Exception):
    """Somebody was faster: the dead letter is not open any more, and nothing was done."""

    def __init__(self, dead_letter: DeadLetter) -> None:
        self.dead_letter = dead_letter
        who = dead_letter.decided_by or "the system"
        super().__init__(
            f"This dead letter is already {dead_letter.get_state_display()} (by {who}): "
            "nothing was done. Reload to see it as it is."
        )


class NoteMissing(ValueError):
    """A discard needs a note that says why."""


def retry(
    dead_letters: Sequence[DeadLetter], *, actor: str, note: str = "", now: datetime,
    bulk: BulkAction | None = None,
) -> int:  # fmt: skip
    """Run the deliveries again under their own ids, with fresh attempts; gives how many.

    An event whose type was unknown and is known by now is routed again instead, to all handlers.
    Raises: AlreadyDecided when one alone was asked for and it is not open. Of many, those that are
    not open are left out.
    """
    with transaction.atomic():
        ours = _take(dead_letters, DeadLetterState.RETRYING, actor=actor, note=note, now=now)
        tenant = current_tenant()
        rerouted = _reroute([d for d in ours if is_rerouted(d)], tenant=tenant, actor=actor)
        _redrive([d for d in ours if d.pk not in rerouted], tenant=tenant)
        record_review(ours, "retry", actor=actor, note=note, now=now, bulk=bulk)
    return len(ours)


def is_rerouted(dead_letter: DeadLetter) -> bool:
    """Tell whether a retry routes the event again: its type was unknown and is known by now."""
    return (
        dead_letter.handler == UNKNOWN_TYPE and catalogue.find(dead_letter.event_type) is not None
    )


def correct(
    dead_letter: DeadLetter, *, data: Any, actor: str, note: str = "", now: datetime
) -> UUID:
    """Publish a new event with corrected data, caused by the original, to the handler that failed.

    Gives the uid of the new event. The failed delivery is closed as corrected; the new event's takes
    its place in the stream, and a stream that was held goes on with it.
    Raises: AlreadyDecided, CannotCorrect, InvalidEvent when the data does not fit the schema.
    """
    _assert_open(dead_letter)
    correction = check_correction(dead_letter, data)
    original = correction.original
    envelope = Envelope(
        id=f"{original.event_id[:200]}~{new_uid()}",
        source=original.source,
        type=original.type,
        subject=original.subject,
        time=original.time if original.time_was_given else None,
        data=correction.data,
        extensions=original.extensions,
    )
    narrowed = dead_letter.handler != UNKNOWN_TYPE
    lineage = Lineage(
        causation=original.uid,
        handlers=[dead_letter.handler] if narrowed else None,
        target=dead_letter.target,
        place=dead_letter.delivery_id if narrowed else None,
    )
    with transaction.atomic():
        ours = _take([dead_letter], DeadLetterState.CORRECTED, actor=actor, note=note, now=now)
        receipt = store_events([envelope], [correction.entry], lineage=lineage)[0]
        DeadLetter.objects.filter(pk=dead_letter.pk).update(correction_uid=receipt.uid)
        _close_delivery(ours, DeliveryState.DISCARDED, f"corrected by {actor}: event {receipt.uid}")
        record_review(ours, "correct", actor=actor, note=note, now=now, changes=correction.changes)
    return receipt.uid


def discard(
    dead_letters: Sequence[DeadLetter], *, actor: str, note: str, now: datetime,
    bulk: BulkAction | None = None,
) -> int:  # fmt: skip
    """Give deliveries up for good, with the reason; gives how many.

    Raises: NoteMissing, AlreadyDecided (one alone that is not open).
    """
    if not note.strip():
        raise NoteMissing("Say in the note why this is discarded.")
    with transaction.atomic():
        ours = _take(dead_letters, DeadLetterState.DISCARDED, actor=actor, note=note, now=now)
        _close_delivery(ours, DeliveryState.DISCARDED, f"discarded by {actor}: {note}")
        unhold([d.delivery_id for d in ours])
        record_review(ours, "discard", actor=actor, note=note, now=now, bulk=bulk)
    return len(ours)


def _take(
    dead_letters: Sequence[DeadLetter],
    state: DeadLetterState,
    *,
    actor: str,
    note: str,
    now: datetime,
) -> list[DeadLetter]:
    """Change the state of those that are open; the row lock makes two people come one by one."""
    ids = [d.pk for d in dead_letters]
    is_open = DeadLetter.objects.filter(pk__in=ids, state=DeadLetterState.OPEN)
    ours = list(is_open.order_by("pk").select_for_update())
    if not ours and len(dead_letters) == 1:
        raise AlreadyDecided(DeadLetter.objects.get(pk=ids[0]))
    DeadLetter.objects.filter(pk__in=[d.pk for d in ours]).update(
        state=state, decided_at=now, decided_by=actor[:150], note=note
    )
    return ours


def _assert_open(dead_letter: DeadLetter) -> None:
    """Say first that it is decided, not that the data is wrong. `_take` has the last word."""
    current = DeadLetter.objects.get(pk=dead_letter.pk)
    if current.state != DeadLetterState.OPEN:
        raise AlreadyDecided(current)


def _redrive(dead_letters: Sequence[DeadLetter], *, tenant: TenantRef) -> None:
    """Owe the deliveries again. Those of a stream wait for what runs in it, then go first.

    What a replay made stays a replay's: it reaches the outside only if that replay may.
    """
    replays = get_replays_of([d.delivery_id for d in dead_letters])
    rows = []
    for d in dead_letters:
        replay = replays.get(d.delivery_id)
        rows.append(
            Redriven(
                ids=d.delivery_id, tenants=tenant.id, uids=d.event_uid, handlers=d.handler,
                targets=d.target, streams=d.stream, categories=d.category, priorities=d.priority,
                accepted=d.accepted_at, attempts=d.attempts,
                outside=replay is None or replay.include_external,
                replays=replay.pk if replay else None,
            )
        )  # fmt: skip
    redrive(rows)


def _reroute(dead_letters: Sequence[DeadLetter], *, tenant: TenantRef, actor: str) -> set[UUID]:
    """Hand events to the router again; gives the dead letters that this resolved.

    The delivery that only said "unknown type" has ended. An event that is gone from the log is left
    to the worker, which says so.
    """
    events = Event.objects.in_bulk([d.event_uid for d in dead_letters])
    arrivals, done = [], []
    for d in dead_letters:
        event, entry = events.get(d.event_uid), catalogue.find(d.event_type)
        if event is None or entry is None:
            continue
        stream = entry.stream_of(subject=event.subject, event_id=event.event_id, data=event.data)
        arrivals.append(
            (tenant.id, event.uid, event.type, stream, d.accepted_at, int(Lane.LIVE), None, "",
             True, None, None)
        )  # fmt: skip
        done.append(d)
    if done:
        add_arrivals(arrivals)
        ring_router_on_commit()
        _close_delivery(done, DeliveryState.DONE, f"routed again by {actor}")
        resolved = DeadLetter.objects.filter(pk__in=[d.pk for d in done])
        resolved.update(state=DeadLetterState.RESOLVED)
    return {d.pk for d in done}


def _close_delivery(dead_letters: Sequence[DeadLetter], state: DeliveryState, note: str) -> None:
    Delivery.objects.filter(pk__in=[d.delivery_id for d in dead_letters]).update(
        state=state, note=note[:500]
    )


def record_review(
    dead_letters: Sequence[DeadLetter],
    action: str,
    *,
    actor: str,
    note: str,
    now: datetime,
    changes: list[dict[str, Any]] | None = None,
    bulk: BulkAction | None = None,
) -> None:
    """Add what a person did to the audit trail, in the transaction that does it."""
    Review.objects.bulk_create(
        Review(
            dead_letter=d, action=action, actor=actor[:150], note=note, diff=changes, at=now,
            bulk=bulk,
        )
        for d in dead_letters
    )  # fmt: skip
