"""Sync: what outside senders brought, before it is understood.

The first names a stored body and has none of its content.
"""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from pms_events.categories import P0, SYNC
from pms_events.event_types import event_type
from pms_events.payloads import Payload

KEPT_INSIDE = frozenset(["connection.body_received", "connection.event_rejected"])
"""What no endpoint is sent: how bodies are read is ours alone, and what is rejected may say anything."""

_STREAM = "connection:{connection_id}"


@event_type("connection.body_received", category=SYNC, priority=P0, stream=_STREAM)
class ConnectionBodyReceived(Payload):
    """An outside sender posted a body, which is stored and not read yet (own)."""

    connection_id: UUID
    reception_id: UUID

    example: ClassVar = {
        "connection_id": "0197c1de-0000-7000-8000-000000000002",
        "reception_id": "0197c1de-0000-7000-8000-000000000003",
    }


@event_type("connection.event_rejected", category=SYNC, priority=P0, stream=_STREAM)
class ConnectionEventRejected(Payload):
    """One event of a received body could not be accepted as it is (own): a person corrects it.

    `event` is as the connector read it; `index` counts from 0 in the body.
    """

    connection_id: UUID
    reception_id: UUID
    index: int
    event: Any = Field(description="in its CloudEvents envelope: id, source, type, data, …")

    example: ClassVar = {
        "connection_id": "0197c1de-0000-7000-8000-000000000002",
        "reception_id": "0197c1de-0000-7000-8000-000000000003",
        "index": 0,
        "event": {"id": "81", "source": "front-desk", "data": {"room": "101"}},
    }
