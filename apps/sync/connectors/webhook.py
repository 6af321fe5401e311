"""The signed webhook: a CloudEvent as JSON, with the headers of Standard Webhooks.

Source: Standard Webhooks specification 1.0; CloudEvents HTTP binding 1.0.2, structured mode.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime

from apps.sync import operations
from apps.sync.failures import DeliveryFailed, EndpointOff
from apps.sync.models import Endpoint, Exchange
from apps.sync.retry_after import read_retry_after
from apps.sync.secrets import PREFIX
from apps.sync.sending import post
from apps.sync.spoken import Answer, Request
from pms_events.context import Event
from pms_events.outcomes import Done

_GONE = 410
_SHOWN_OF_ANSWER = 200


def write(endpoint: Endpoint, event: Event, *, message_id: str, now: datetime) -> Request:
    """Write the request for an event. Raises: UnreadableSecret."""
    secrets = operations.get_secrets(endpoint, now=now)
    return write_request(event, message_id=message_id, secrets=secrets, now=now)


def pass_on(endpoint: Endpoint, request: Request) -> Answer:
    """Post the request. Raises: BlockedAddress."""
    return post(endpoint.url, headers=request.headers, body=request.body)


def read_answer(exchange: Exchange, *, now: datetime) -> Done:
    """Decide what an answer means for the delivery: 2xx is done, 410 disables the endpoint.

    Raises: EndpointOff; DeliveryFailed, with what was asked for by `Retry-After`.
    """
    if exchange.is_taken:
        return Done(f"HTTP {exchange.status} in {exchange.duration_ms} ms")
    endpoint = exchange.endpoint
    if exchange.status == _GONE and operations.disable_endpoint(
        endpoint, reason="it answered 410 Gone"
    ):
        raise EndpointOff(
            f"{endpoint.host} answered 410 Gone, so the endpoint was disabled: "
            "enable it, then retry; or discard"
        )
    asked = exchange.response_headers.get("retry-after", "")
    raise DeliveryFailed(describe(exchange), read_retry_after(asked, now=now))


def describe(exchange: Exchange) -> str:
    """Say in a sentence what a receiver answered instead of yes."""
    host = exchange.endpoint.host
    if exchange.status is None:
        return f"{host} gave no answer: {exchange.error}"
    if 300 <= exchange.status < 400:
        where = exchange.response_headers.get("location", "nowhere")
        return (
            f"{host} answered {exchange.status}, a redirect to {where}, which is not followed: "
            "set the endpoint's URL to where it should go"
        )
    said = exchange.response_body[:_SHOWN_OF_ANSWER].strip()
    return f"{host} answered {exchange.status}" + (f": {said}" if said else "")


def write_request(
    event: Event, *, message_id: str, secrets: Sequence[str], now: datetime
) -> Request:
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
    return Request(
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
