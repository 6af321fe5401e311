"""What a person does with a dead letter: retry, correct and retry, discard.

Each changes the state only where it still is `open`, so that of two people who act at once the
second is told and nothing runs twice. The original event is never touched.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.dispatch.doorbells import ring_on_commit
from apps.dispatch.operations import redrive
from apps.events.models import Delivery, DeliveryState, Event
from apps.events.store import Lineage, store_events
from apps.fallback.models import DeadLetter, DeadLetterState, Review
from apps.fallback.payload_diff import diff
from apps.tenants.entering import current_tenant
from pms_events.envelope import Envelope
from pms_events.errors import FieldError, InvalidEvent
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


def retry(dead_letters: Sequence[DeadLetter], *, actor: str, note: str = "", now: datetime) -> int:
    """Run the deliveries again under their own ids, with fresh attempts; gives how many.

    Raises: AlreadyDecided when one alone was asked for and it is not open. Of many, those that are
    not open are left out.
    """
    with transaction.atomic():
        ours = _take(dead_letters, DeadLetterState.RETRYING, actor=actor, note=note, now=now)
        tenant = current_tenant()
        rows, keys = [], []
        for d in ours:
            ordered = d.stream is not None
            rows.append(
                (d.delivery_id, tenant.id, d.event_uid, d.handler, d.target, d.stream, d.category,
                 d.priority, "waiting" if ordered else "ready", d.attempts, d.accepted_at)
            )  # fmt: skip
            if d.stream is not None:
                keys.append((tenant.id, d.handler, d.target, d.stream))
        if rows:
            redrive(rows, keys)
        _review(ours, "retry", actor=actor, note=note, now=now)
        ring_on_commit(d.category for d in ours)
    return len(ours)


def correct(
    dead_letter: DeadLetter, *, data: Any, actor: str, note: str = "", now: datetime
) -> UUID:
    """Publish a new event with corrected data, caused by the original, to the handler that failed.

    Gives the uid of the new event. The failed delivery is closed as corrected.
    Raises: InvalidEvent when the data does not fit the schema, AlreadyDecided.
    """
    original = Event.objects.get(uid=dead_letter.event_uid)
    entry = catalogue.find(original.type)
    if not isinstance(data, Mapping):
        raise InvalidEvent([FieldError(pointer="#/data", detail="must be a JSON object")])
    if entry is None:
        raise InvalidEvent(
            [
                FieldError(
                    pointer="#/type",
                    detail=f"'{original.type}' is not in the catalogue: correcting cannot help; "
                    "add the type and retry, or discard",
                )
            ]
        )
    entry.validate(data)
    envelope = Envelope(
        id=f"{original.event_id[:200]}~{new_uid()}",
        source=original.source,
        type=original.type,
        subject=original.subject,
        time=original.time if original.time_was_given else None,
        data=dict(data),
        extensions=original.extensions,
    )
    narrowed = dead_letter.handler != UNKNOWN_TYPE
    lineage = Lineage(
        causation=original.uid,
        handlers=[dead_letter.handler] if narrowed else None,
        target=dead_letter.target,
    )
    with transaction.atomic():
        ours = _take(
            [dead_letter], DeadLetterState.CORRECTED, actor=actor, note=note, now=now
        )
        receipt = store_events([envelope], [entry], lineage=lineage)[0]
        DeadLetter.objects.filter(pk=dead_letter.pk).update(correction_uid=receipt.uid)
        _close_delivery(ours, f"corrected by {actor}: event {receipt.uid}")
        changes = diff(original.data, dict(data))
        _review(ours, "correct", actor=actor, note=note, now=now, changes=changes)
    return receipt.uid


def discard(dead_letters: Sequence[DeadLetter], *, actor: str, note: str, now: datetime) -> int:
    """Give deliveries up for good, with the reason; gives how many.

    Raises: NoteMissing, AlreadyDecided (one alone that is not open).
    """
    if not note.strip():
        raise NoteMissing("Say in the note why this is discarded.")
    with transaction.atomic():
        ours = _take(dead_letters, DeadLetterState.DISCARDED, actor=actor, note=note, now=now)
        _close_delivery(ours, f"discarded by {actor}: {note}")
        _review(ours, "discard", actor=actor, note=note, now=now)
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


def _close_delivery(dead_letters: Sequence[DeadLetter], note: str) -> None:
    Delivery.objects.filter(pk__in=[d.delivery_id for d in dead_letters]).update(
        state=DeliveryState.DISCARDED, note=note[:500]
    )


def _review(
    dead_letters: Sequence[DeadLetter],
    action: str,
    *,
    actor: str,
    note: str,
    now: datetime,
    changes: list[dict[str, Any]] | None = None,
) -> None:
    Review.objects.bulk_create(
        Review(dead_letter=d, action=action, actor=actor[:150], note=note, diff=changes, at=now)
        for d in dead_letters
    )
