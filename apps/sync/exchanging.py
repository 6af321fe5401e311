"""One attempt at an endpoint: write the request, post it, keep what was said as an exchange."""

from datetime import UTC, datetime

from apps.sync.addresses import BlockedAddress
from apps.sync.connectors.webhook import WebhookRequest, write_request
from apps.sync.models import Endpoint, Exchange
from apps.sync.operations import get_secrets
from apps.sync.sending import Answer, post
from pms_events.context import Event

_KEPT = 4096
_KEPT_OF_A_HEADER = 200
_SHOWN_RESPONSE_HEADERS = {
    "content-type", "content-length", "retry-after", "date", "server", "location",
}  # fmt: skip


def send(
    endpoint: Endpoint,
    event: Event,
    *,
    message_id: str,
    delivery_id: int | None = None,
    attempt: int = 1,
) -> Exchange:
    """Post an event once and keep the exchange, whatever came of it. No transaction may be open.

    Raises: BlockedAddress, the exchange kept; UnreadableSecret, nothing was sent.
    """
    started_at = datetime.now(UTC)
    request = write_request(
        event, message_id=message_id, secrets=get_secrets(endpoint, now=started_at), now=started_at
    )
    exchange = Exchange(
        endpoint=endpoint,
        delivery_id=delivery_id,
        event_uid=event.uid,
        attempt=attempt,
        started_at=started_at,
    )
    try:
        answer = post(endpoint.url, headers=request.headers, body=request.body)
    except BlockedAddress as error:
        _keep(exchange, request, Answer(status=None, error=str(error)))
        raise
    return _keep(exchange, request, answer)


def _keep(exchange: Exchange, request: WebhookRequest, answer: Answer) -> Exchange:
    """Store an exchange, each body cut to 4 KiB. The signature stays: it gives no secret away."""
    taken = datetime.now(UTC) - exchange.started_at
    exchange.duration_ms = int(taken.total_seconds() * 1000)
    exchange.url = exchange.endpoint.url
    exchange.request_headers = request.headers
    exchange.request_body = _text(request.body)
    exchange.status = answer.status
    exchange.response_headers = {
        name: _storable(value)[:_KEPT_OF_A_HEADER]
        for name, value in answer.headers.items()
        if name in _SHOWN_RESPONSE_HEADERS
    }
    exchange.response_body = _text(answer.body)
    exchange.error = _storable(answer.error)[:500]
    exchange.save(force_insert=True)
    return exchange


def _text(body: bytes) -> str:
    return _storable(body[:_KEPT].decode("utf-8", "replace"))


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL and no half of a surrogate pair, and receivers send anything."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "�")
