"""What a handler is told besides the payload."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A stored event, as handlers see it."""

    uid: UUID
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    time_was_given: bool
    data: dict[str, Any]
    extensions: dict[str, Any]
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One attempt: which tenant, which event, which delivery, which target, and when.

    `attempt` counts from 1. `is_replay` tells a repeat on purpose from first-hand news; what a
    replayed handler publishes reaches the outside only when `include_external` says so. What comes
    of bulk work (`is_bulk`) stays behind live traffic, too.
    """

    tenant: str
    event: Event
    delivery_id: int
    attempt: int
    target: str
    now: datetime
    is_replay: bool = False
    is_bulk: bool = False
    include_external: bool = True

    @property
    def idempotency_key(self) -> str:
        """A key that is the same on every attempt of this delivery; send it to the outside."""
        return f"dlv_{self.delivery_id}"


_current: ContextVar[Context | None] = ContextVar("pms_events_context", default=None)


def current_context() -> Context | None:
    """Tell which attempt is running here, None outside of handlers."""
    return _current.get()


@contextmanager
def running(context: Context) -> Iterator[None]:
    """Make `context` the current one, so that what the handler publishes knows its cause."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)
