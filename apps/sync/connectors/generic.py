"""The generic connector: CloudEvents in every mode, or a Standard Webhooks body.

Source: CloudEvents HTTP protocol binding 1.0.2; Standard Webhooks specification 1.0. Read with more
patience than `POST /api/v1/events`, because nobody reads what a hook would refuse.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from apps.sync.connectors.registry import Connector, Received, register
from apps.sync.signatures import verify
from pms_events.errors import Unreadable
from pms_events.strict_json import UnreadableJson, loads

_BATCH = "application/cloudevents-batch+json"
_BINARY = "ce-"
_WEBHOOK_ID = "webhook-id"
_NAMING = ("content-type", _WEBHOOK_ID)


def authenticate(received: Received, *, secrets: Sequence[str], now: datetime) -> None:
    """Ask for a Standard Webhooks signature where the connection has a secret."""
    if secrets:
        verify(received, secrets=secrets, now=now)


def identify(received: Received) -> str:
    """Digest the body and what says which events it carries: a repeat brings the same ones.

    Not the time and signature of the request, which differ with every attempt.
    """
    naming = sorted(item for item in received.headers.items() if is_kept(item[0]))
    return hashlib.sha256(json.dumps(naming).encode() + b"\0" + received.body).hexdigest()


def is_kept(header: str) -> bool:
    return header in _NAMING or header.startswith(_BINARY)


def read(received: Received, *, source: str) -> Sequence[Any]:
    """Read the events of a body: one, or as many as a batch has."""
    content_type = _content_type(received)
    if any(name.startswith(_BINARY) for name in received.headers):
        return [_read_binary(received)]
    value = _read_json(received.body)
    if content_type == _BATCH and not isinstance(value, list):
        raise Unreadable(f"a body of type {_BATCH} must be a JSON array of events")
    if isinstance(value, list):
        return value
    if _WEBHOOK_ID in received.headers and not _is_cloud_event(value):
        return [_read_webhook(value, id=received.headers[_WEBHOOK_ID], source=source)]
    return [value]


def _content_type(received: Received) -> str:
    """The body's type without parameters. Raises: Unreadable unless it is JSON, or left out."""
    given = received.headers.get("content-type", "")
    essence = given.partition(";")[0].strip().lower()
    if essence and essence != "application/json" and not essence.endswith("+json"):
        raise Unreadable(f"the content type '{essence[:80]}' is not JSON: use application/json")
    return essence


def _read_binary(received: Received) -> Mapping[str, Any]:
    """Put the attributes, which are in headers, around the data, which is the body."""
    event: dict[str, Any] = {
        name.removeprefix(_BINARY): unquote(value)
        for name, value in received.headers.items()
        if name.startswith(_BINARY)
    }
    if any("\x00" in value for value in event.values()):
        raise Unreadable("a ce- header has the character U+0000, which cannot be stored")
    if received.body.strip():
        event["data"] = _read_json(received.body)
    return event


def _read_webhook(value: Any, *, id: str, source: str) -> Any:
    """Make an event of a Standard Webhooks body. What else it says may differ with every attempt."""
    if not isinstance(value, Mapping):
        return value
    event = {"id": id, "source": source}
    for ours, theirs in (("type", "type"), ("time", "timestamp"), ("data", "data")):
        if theirs in value:
            event[ours] = value[theirs]
    return event


def _is_cloud_event(value: Any) -> bool:
    return isinstance(value, Mapping) and "specversion" in value


def _read_json(body: bytes) -> Any:
    if not body.strip():
        raise Unreadable("the body is empty: it must be an event, or a JSON array of events")
    try:
        return loads(body)
    except UnreadableJson as error:
        raise Unreadable(f"the body cannot be read: {error.detail}") from error


register(
    Connector(
        name="generic",
        title="CloudEvents or Standard Webhooks",
        authenticate=authenticate,
        identify=identify,
        read=read,
        kept_headers=is_kept,
    )
)
