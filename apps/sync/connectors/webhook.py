"""The signed webhook: a CloudEvent as JSON, with the headers of Standard Webhooks.

Source: Standard Webhooks specification 1.0; CloudEvents HTTP binding 1.0.2, structured mode.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.sync.secrets import PREFIX
from pms_events.context import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """What is posted: headers and bytes."""

    headers: dict[str, str]
    body: bytes


def write_request(
    event: Event, *, message_id: str, secrets: Sequence[str], now: datetime
) -> WebhookRequest:
    """Write the request for an event. `message_id` is the same on every attempt.

    Signed with each secret, so that a receiver may change over to a new one at its own time.
    """
    envelope = {
        **event.extensions,
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": event.time.isoformat(),
        "datacontenttype": "application/json",
        **({"subject": event.subject} if event.subject else {}),
        "data": event.data,
    }
    body = json.dumps(envelope, separators=(",", ":")).encode()
    timestamp = str(int(now.timestamp()))
    return WebhookRequest(
        headers={
            "Content-Type": "application/cloudevents+json",
            "User-Agent": "pms-events/1",
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(
                sign(secret, message_id=message_id, timestamp=timestamp, body=body)
                for secret in secrets
            ),
        },
        body=body,
    )


def sign(secret: str, *, message_id: str, timestamp: str, body: bytes) -> str:
    """Sign `id.timestamp.body` with HMAC-SHA256; gives `v1,<base64>`."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
