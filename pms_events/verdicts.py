"""The decision after an attempt: pure, frozen, written by one place (`apps.engine.settling`)."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pms_events.errors import InvalidEvent, PermanentError, Unreadable
from pms_events.handlers import Handler
from pms_events.outcomes import Discard, Done, Outcome, Snooze

MAX_CRASHES = 3
"""A delivery that took its worker down this often is poison."""


class Kind(StrEnum):
    """What becomes of the delivery."""

    DONE = "done"
    RETRY = "retry"
    SNOOZE = "snooze"
    DISCARD = "discard"
    DEAD = "dead"


class Reason(StrEnum):
    """Why a delivery needs a person."""

    EXHAUSTED = "exhausted"
    PERMANENT = "permanent"
    POISON = "poison"
    UNROUTABLE = "unroutable"
    UNKNOWN_TYPE = "unknown_type"
    INVALID = "invalid"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong in an attempt. `error_class` is the exception's name without its module."""

    error_class: str
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the engine decided about one delivery after one attempt.

    `due_at` goes with retry and snooze, `reason` with dead, `failure` with retry and dead.
    """

    kind: Kind
    note: str = ""
    due_at: datetime | None = None
    reason: Reason | None = None
    failure: Failure | None = None


def judge(outcome: Outcome, *, now: datetime) -> Verdict:
    """Decide about an attempt that returned."""
    match outcome:
        case None:
            return Verdict(kind=Kind.DONE)
        case Done(note=note):
            return Verdict(kind=Kind.DONE, note=note)
        case Snooze(delay=delay, note=note):
            return Verdict(kind=Kind.SNOOZE, note=note, due_at=now + delay)
        case Discard(note=note):
            return Verdict(kind=Kind.DISCARD, note=note)
    return Verdict(
        kind=Kind.DEAD,
        reason=Reason.PERMANENT,
        failure=Failure(
            error_class="BadOutcome",
            message=f"the handler returned {type(outcome).__name__}: return an Outcome or None",
        ),
    )


def judge_error(
    error: BaseException,
    *,
    handler: Handler,
    failures: int,
    now: datetime,
    random: Callable[[], float],
) -> Verdict:
    """Decide about an attempt that raised. `failures` counts the ones before this attempt."""
    failure = failure_of(error)
    if isinstance(error, InvalidEvent):
        return Verdict(kind=Kind.DEAD, reason=Reason.INVALID, failure=failure)
    if isinstance(error, Unreadable):
        return Verdict(kind=Kind.DEAD, reason=Reason.UNREADABLE, failure=failure)
    if isinstance(error, PermanentError):
        return Verdict(kind=Kind.DEAD, reason=Reason.PERMANENT, failure=failure)
    if failures + 1 >= handler.retry.attempts:
        return Verdict(kind=Kind.DEAD, reason=Reason.EXHAUSTED, failure=failure)
    wait = handler.retry.delay(failures + 1, random=random)
    asked = getattr(error, "retry_after", None)  # an outside's Retry-After wins over our backoff
    return Verdict(
        kind=Kind.RETRY, due_at=now + (max(wait, asked) if asked else wait), failure=failure
    )


def failure_of(error: BaseException) -> Failure:
    """Describe an exception for a person: at most 2,000 and 20,000 characters, storable as text."""
    text = "".join(traceback.format_exception(error))
    return Failure(
        error_class=type(error).__name__,
        message=_storable(str(error) or type(error).__name__)[:2000],
        traceback=_storable(text)[-20000:],
    )


def _storable(text: str) -> str:
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()
