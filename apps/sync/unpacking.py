"""From a stored body to the events it carries: what can be used is published, each that cannot is told.

Everything here may run twice: events are known by their source and id, rejections by the body and their
place in it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.sync.connectors.registry import get_connector
from apps.sync.models import Connection, Reception
from apps.sync.receiving import open_reception, subject_of
from pms_events.envelope import MAX_EVENT, Envelope, read_envelope
from pms_events.errors import FieldError, InvalidEvent, PermanentError, Unreadable
from pms_events.event_types import catalogue
from pms_events.publishing import OWN_SOURCE, publish_many

MAX_EVENTS = 10_000
"""How many events of one body are read: a handler has to end within its limit."""

_REJECTED = "connection.event_rejected"


class ConnectionOff(PermanentError):
    """The connection is disabled: a person enables it, then retries; or discards."""


class EventConflict(PermanentError):
    """Another event is kept under this source and id, and is not changed by a later one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of the events of a body. `known`: kept already, with the same content."""

    accepted: int
    known: int
    rejected: int

    def __str__(self) -> str:
        return f"{self.accepted} accepted, {self.known} known, {self.rejected} rejected"


def get_enabled(connection_id: UUID) -> Connection | None:
    """Find a connection whose bodies may be read; None when it was deleted. Raises: ConnectionOff."""
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is not None and not connection.is_enabled:
        raise ConnectionOff(
            f"the connection '{connection.name}' is disabled: enable it, then retry; or discard"
        )
    return connection


def unpack(connection: Connection, reception: Reception, *, now: datetime) -> Tally:
    """Publish the events of a body, and a rejection for each that cannot be one as it is.

    Raises: Unreadable when nothing of it can be read; UnknownConnector.
    """
    received = open_reception(reception)
    found = get_connector(connection.connector).read(received, source=subject_of(connection.pk))
    if len(found) > MAX_EVENTS:
        raise Unreadable(
            f"the body has {len(found)} events, of which none was read: at most {MAX_EVENTS} are"
        )
    good: list[tuple[int, Envelope]] = []
    rejected: list[int] = []
    for index, raw in enumerate(found):
        try:
            good.append((index, _check(raw)))
        except InvalidEvent:
            rejected.append(index)
    receipts = publish_many([envelope for _, envelope in good])
    statuses = [receipt.status for receipt in receipts]
    rejected += [
        index for (index, _), status in zip(good, statuses, strict=True) if status == "conflict"
    ]
    _reject(connection.pk, reception.pk, [(index, found[index]) for index in sorted(rejected)])
    Reception.objects.filter(pk=reception.pk).update(read_at=now)
    return Tally(
        accepted=statuses.count("accepted"),
        known=statuses.count("duplicate"),
        rejected=len(rejected),
    )


def accept(raw: Any) -> str:
    """Publish one event that was rejected, or is corrected by now; gives what became of it.

    Raises: InvalidEvent with a pointer to each bad field; EventConflict.
    """
    envelope = _check(raw)
    [receipt] = publish_many([envelope])
    if receipt.status == "conflict":
        raise EventConflict(
            f"the event '{envelope.id}' of '{envelope.source}' is kept already as {receipt.uid} "
            "with another content: give it an id of its own to accept it too, or discard"
        )
    return f"{receipt.status} as {receipt.uid}"


def _check(raw: Any) -> Envelope:
    """Read an envelope and check its data. An unknown type is let through, to end before a person."""
    if (size := _size(raw)) > MAX_EVENT:
        detail = f"the event has {size} bytes: at most {MAX_EVENT} are taken"
        raise InvalidEvent([FieldError(pointer="#", detail=detail)])
    envelope = read_envelope(raw)
    entry = catalogue.find(envelope.type)
    if entry is not None:
        entry.validate(envelope.data)
    return envelope


def _reject(connection_id: UUID, reception_id: UUID, events: Sequence[tuple[int, Any]]) -> None:
    """State of each event that it could not be accepted; its handler then says why."""
    publish_many(
        [
            Envelope(
                id=f"rejected:{reception_id}:{index}",
                source=OWN_SOURCE,
                type=_REJECTED,
                subject=subject_of(connection_id),
                data={
                    "connection_id": str(connection_id),
                    "reception_id": str(reception_id),
                    "index": index,
                    "event": _without_excess(event),
                },
            )
            for index, event in events
        ]
    )


def _without_excess(event: Any) -> Any:
    """Leave the data out of an event that is too large for the log; it stays invalid so."""
    if (size := _size(event)) <= MAX_EVENT:
        return event
    named = event if isinstance(event, dict) else {}
    kept = {
        name: named[name]
        for name in ("id", "source", "type", "subject", "time")
        if isinstance(named.get(name), str) and len(named[name]) <= 255
    }
    return {**kept, "data": f"left out: it has {size} bytes, and at most {MAX_EVENT} are taken"}


def _size(event: Any) -> int:
    return len(json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode())
