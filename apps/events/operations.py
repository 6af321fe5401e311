"""What the engine writes into a tenant's history: finished deliveries and attempts that failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.dispatch.statements import insert_values
from apps.dispatch.work import Claimed
from pms_events.verdicts import Verdict

_FINISHED = """INSERT INTO events_delivery (id, event_uid, handler, target, category, state,
attempts, failures, crashes, accepted_at, started_at, finished_at, note, replay_id) VALUES %s
ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state, attempts = EXCLUDED.attempts,
failures = EXCLUDED.failures, crashes = EXCLUDED.crashes, started_at = EXCLUDED.started_at,
finished_at = EXCLUDED.finished_at, note = EXCLUDED.note"""

_ATTEMPTS = """INSERT INTO events_attempt (delivery_id, event_uid, number, started_at, finished_at,
verdict, due_at, error_class, message, traceback) VALUES %s"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A delivery that was run, when, and what was decided about it."""

    delivery: Claimed
    verdict: Verdict
    started_at: datetime
    finished_at: datetime


def record_finished(runs: Sequence[tuple[Ran, str]]) -> None:
    """Keep deliveries that ended, each with its end state, in the current tenant.

    A redriven delivery overwrites the row of its death.
    """
    if not runs:
        return
    insert_values(
        _FINISHED,
        [
            (
                ran.delivery.id, ran.delivery.event_uid, ran.delivery.handler, ran.delivery.target,
                ran.delivery.category, state, ran.delivery.attempts, ran.delivery.failures,
                ran.delivery.crashes, ran.delivery.accepted_at, ran.started_at, ran.finished_at,
                ran.verdict.note[:500], ran.delivery.replay_id,
            )
            for ran, state in runs
        ],
    )  # fmt: skip


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
