"""What the fallback queue says about single dead letters: who waits behind them, what was tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.dispatch.statements import fetch
from apps.events.models import Attempt, Event
from apps.events.queries import get_stories
from apps.fallback.models import DeadLetter, DeadLetterState
from apps.tenants.entering import current_tenant

MOST_BEHIND = 1_000
_MOST_CAUSED = 20


def count_behind_each(dead_letters: Sequence[DeadLetter]) -> dict[UUID, int]:
    """Count the deliveries that wait in the streams of some dead letters, in one query.

    Counting stops at `MOST_BEHIND` a stream.
    """
    keys = sorted({(d.handler, d.target, d.stream) for d in dead_letters if d.stream is not None})
    if not keys:
        return {}
    handlers, targets, streams = zip(*keys, strict=True)
    rows = fetch(
        "fallback/behind",
        {
            "tenant": current_tenant().id,
            "handlers": list(handlers),
            "targets": list(targets),
            "streams": list(streams),
            "most": MOST_BEHIND,
        },
    )
    waiting = {(handler, target, stream): count for handler, target, stream, count in rows}
    return {d.pk: waiting.get((d.handler, d.target, d.stream), 0) for d in dead_letters}


def get_attempts(dead_letter: DeadLetter) -> list[Attempt]:
    """Give the attempts of a dead letter's delivery that did not end well, oldest first."""
    return list(
        Attempt.objects.filter(delivery_id=dead_letter.delivery_id).order_by("number", "id")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where a dead letter's event comes from and what came of it; None where the log has it not.

    `corrects`: the dead letter whose correction this event is. `correction_state`: what became of the
    corrected event, as in the event log. `caused`: by the event or by its correction.
    """

    event: Event | None
    parent: Event | None
    corrects: DeadLetter | None
    correction: Event | None
    correction_state: str
    caused: list[Event]


def get_lineage(dead_letter: DeadLetter) -> Lineage:
    """Follow a dead letter's event both ways."""
    wanted = [uid for uid in (dead_letter.event_uid, dead_letter.correction_uid) if uid]
    events = Event.objects.in_bulk(wanted)
    event = events.get(dead_letter.event_uid)
    correction = events.get(dead_letter.correction_uid) if dead_letter.correction_uid else None
    parent = corrects = None
    if event is not None and event.causation is not None:
        parent = Event.objects.filter(uid=event.causation).first()
        corrects = DeadLetter.objects.filter(
            event_uid=event.causation, correction_uid=event.uid
        ).first()
    caused = Event.objects.filter(causation__in=wanted).exclude(
        uid=dead_letter.correction_uid or dead_letter.event_uid
    )
    state = get_stories([correction.uid])[correction.uid].state if correction else ""
    return Lineage(
        event=event,
        parent=parent,
        corrects=corrects,
        correction=correction,
        correction_state=state.replace("_", " "),
        caused=list(caused.order_by("uid")[:_MOST_CAUSED]),
    )


def count_alike(dead_letter: DeadLetter, *, limit: int) -> int:
    """Count the other open dead letters of the same cause, up to a limit."""
    alike = DeadLetter.objects.filter(
        fingerprint=dead_letter.fingerprint, state=DeadLetterState.OPEN
    ).exclude(pk=dead_letter.pk)
    return alike.order_by("-died_at").values("pk")[:limit].count()
