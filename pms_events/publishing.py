"""How code states a fact: `publish()`, inside the caller's transaction.

The place where events are kept is bound at start-up (`apps.events`), so the code of the PMS knows
this facade only. `subscribe()` tells the router which targets a fanned-out handler has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from pms_events.context import Context, current_context
from pms_events.envelope import Envelope
from pms_events.errors import NotBound
from pms_events.event_types import catalogue
from pms_events.identifiers import new_uid
from pms_events.payloads import Payload

OWN_SOURCE = "pms"
"""The CloudEvents source of events that this product states itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a published event: `accepted`, `duplicate` or `conflict`; uid of the kept one."""

    status: str
    uid: UUID


class Store(Protocol):
    """Where events and subscriptions are kept."""

    def publish(self, envelopes: Sequence[Envelope], *, cause: Context | None) -> list[Receipt]: ...

    def subscribe(self, *, handler: str, target: str, patterns: Sequence[str]) -> None: ...

    def unsubscribe(self, *, handler: str, target: str) -> None: ...


_store: Store | None = None


def bind(store: Store) -> None:
    """Set the store. Called once, by the start-up of the program."""
    global _store
    _store = store


def _bound() -> Store:
    if _store is None:
        raise NotBound("no event store is bound: apps.events binds it in its AppConfig.ready")
    return _store


def publish(
    payload: Payload,
    *,
    subject: str = "",
    id: str | None = None,
    source: str = OWN_SOURCE,
    time: datetime | None = None,
) -> Receipt:
    """State a fact in the current tenant. It commits or rolls back with the caller's transaction.

    Inside a handler the event carries the handled event as its causation. Give a stable `id` when
    the same fact may be stated twice: the second is a duplicate and has no effect.
    Raises: RegistryError when the payload's class is no event type.
    """
    entry = catalogue.of(type(payload))
    envelope = Envelope(
        id=id or str(new_uid()),
        source=source,
        type=entry.name,
        subject=subject,
        time=time,
        data=payload.as_data(),
    )
    return publish_many([envelope])[0]


def publish_many(envelopes: Sequence[Envelope]) -> list[Receipt]:
    """State many facts at once, already in their envelopes; the receipts come in the same order.

    Raises: InvalidEvent when an envelope's data does not fit the schema of its type.
    """
    return _bound().publish(envelopes, cause=current_context())


def subscribe(*, handler: str, target: str, patterns: Sequence[str]) -> None:
    """Make `target` receive events of these patterns through a fanned-out handler, from now on."""
    _bound().subscribe(handler=handler, target=target, patterns=patterns)


def unsubscribe(*, handler: str, target: str) -> None:
    """Stop routing events to `target`. Deliveries already routed still run."""
    _bound().unsubscribe(handler=handler, target=target)
