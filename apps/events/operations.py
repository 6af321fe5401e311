"""What the engine writes into a tenant's history: finished deliveries and attempts that failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.dispatch.statements import fetch, insert_values
from apps.dispatch.work import Claimed
from pms_events.verdicts import Verdict

_ATTEMPTS = """INSERT INTO events_attempt (delivery_id, event_uid, number, started_at, finished_at,
verdict, due_at, error_class, message, traceback) VALUES %s"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A delivery that was run, when, and what was decided about it."""

    delivery: Claimed
    verdict: Verdict
    started_at: datetime
    finished_at: datetime


def finish(runs: Sequence[tuple[Ran, str]], *, lease: UUID) -> set[int]:
    """Move deliveries that ended, each with its end state, into the current tenant's history.

    Fenced: gives the ids of those that were still ours. In an open transaction.
    """
    if not runs:
        return set()
    rows = fetch(
        "events/finish",
        {
            "ids": [ran.delivery.id for ran, _ in runs],
            "states": [str(state) for _, state in runs],
            "started": [ran.started_at for ran, _ in runs],
            "finished": [ran.finished_at for ran, _ in runs],
            "notes": [ran.verdict.note[:500] for ran, _ in runs],
            "lease": lease,
        },
    )
    return {row[0] for row in rows}


def hold(runs: Sequence[Ran], *, lease: UUID) -> set[int]:
    """Tell dead deliveries in the history and let them hold their streams until a person decides.

    Fenced: gives the ids of those that were still ours. In an open transaction.
    """
    if not runs:
        return set()
    rows = fetch(
        "events/hold",
        {
            "ids": [ran.delivery.id for ran in runs],
            "started": [ran.started_at for ran in runs],
            "finished": [ran.finished_at for ran in runs],
            "notes": [ran.verdict.note[:500] for ran in runs],
            "lease": lease,
        },
    )
    return {row[0] for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """What `supersede` ended: how many, which of them had been redriven, and by which newest."""

    count: int
    redriven: list[int]
    newest: list[int]


def supersede(pairs: Sequence[tuple[int, int]], *, lease: UUID) -> Superseded:
    """End heads under our lease, and all that waits before the newest of their stream, as superseded.

    Pairs: head, newest waiting. In an open transaction; the newest must be leased in it.
    """
    rows = fetch(
        "events/supersede",
        {
            "heads": [head for head, _ in pairs],
            "newest": [newest for _, newest in pairs],
            "lease": lease,
        },
    )
    return Superseded(
        count=len(rows),
        redriven=[row[0] for row in rows if row[2]],
        newest=sorted({row[1] for row in rows}),
    )


def record_attempts(runs: Sequence[Ran]) -> None:
    """Keep attempts that were retried, snoozed or dead, in the current tenant."""
    if not runs:
        return
    insert_values(
        _ATTEMPTS,
        [
            (
                ran.delivery.id, ran.delivery.event_uid, ran.delivery.attempts, ran.started_at,
                ran.finished_at, ran.verdict.kind.value, ran.verdict.due_at,
                ran.verdict.failure.error_class if ran.verdict.failure else "",
                ran.verdict.failure.message if ran.verdict.failure else ran.verdict.note,
                ran.verdict.failure.traceback if ran.verdict.failure else "",
            )
            for ran in runs
        ],
    )  # fmt: skip
