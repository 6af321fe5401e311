"""Many dead letters at once: look first, then act in small transactions."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.fallback.models import DeadLetter, DeadLetterState
from apps.fallback.operations import AlreadyDecided, NoteMissing, discard, retry

log = logging.getLogger(__name__)

MOST = 10_000
CHUNK = 500
SAMPLE = 10
ACTIONS = ("retry", "discard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The open dead letters that a bulk action takes: at most `MOST`, the oldest first.

    `has_more`: more matched than one call takes; call again for the rest.
    """

    ids: list[UUID]
    sample: list[DeadLetter]
    has_more: bool


def choose(dead_letters: QuerySet[DeadLetter]) -> Choice:
    """Freeze which open ones of a query a bulk action would take. Changes nothing."""
    is_open = dead_letters.filter(state=DeadLetterState.OPEN).order_by("died_at", "pk")
    ids = list(is_open.values_list("pk", flat=True)[: MOST + 1])
    return Choice(ids=ids[:MOST], sample=list(is_open[:SAMPLE]), has_more=len(ids) > MOST)


def apply_to_many(
    ids: Sequence[UUID],
    *,
    action: str,
    actor: str,
    note: str,
    now: datetime,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Retry or discard in chunks of `CHUNK`, each its own transaction; gives how many it did.

    Those that somebody else decided meanwhile are left out. Stopped half-way, what is done is done
    and the rest is open. Raises: NoteMissing (nothing was done).
    """
    if action == "discard" and not note.strip():
        raise NoteMissing("Say in the note why these are discarded.")
    act = {"retry": retry, "discard": discard}[action]
    changed = 0
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        chunk = list(DeadLetter.objects.filter(pk__in=part, state=DeadLetterState.OPEN))
        try:
            changed += act(chunk, actor=actor, note=note, now=now) if chunk else 0
        except AlreadyDecided:
            log.info("decided meanwhile", extra={"dead_letter": str(chunk[0].pk)})
        progress(min(start + CHUNK, len(ids)))
    return changed
