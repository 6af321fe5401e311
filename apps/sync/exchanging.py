"""One attempt at an endpoint: write the request, pass it on, keep what was said as an exchange."""

from datetime import UTC, datetime
from typing import Protocol

from apps.sync.connectors import mail, webhook
from apps.sync.failures import NothingSent
from apps.sync.mailing import ASKED
from apps.sync.models import Endpoint, Exchange
from apps.sync.receivers import is_mail
from apps.sync.spoken import Answer, Request
from pms_events.context import Event
from pms_events.outcomes import Outcome

_KEPT = 4096
_KEPT_OF_A_HEADER = 200
_SHOWN_RESPONSE_HEADERS = {
    "content-type", "content-length", "retry-after", "date", "server", "location", ASKED,
}  # fmt: skip


class Connector(Protocol):
    """What a module of `connectors` that sends events has."""

    def write(
        self, endpoint: Endpoint, event: Event, *, message_id: str, now: datetime
    ) -> Request: ...

    def pass_on(self, endpoint: Endpoint, request: Request) -> Answer: ...

    def read_answer(self, exchange: Exchange, *, now: datetime) -> Outcome: ...


def connector_of(url: str) -> Connector:
    """Choose the connector by a URL's scheme: the one place that does."""
    return mail if is_mail(url) else webhook


def send(
    endpoint: Endpoint,
    event: Event,
    *,
    message_id: str,
    delivery_id: int | None = None,
    attempt: int = 1,
) -> Exchange:
    """Send an event once and keep the exchange, whatever came of it. No transaction may be open.

    Raises: NothingSent, the exchange kept; UnreadableSecret, nothing was sent.
    """
    connector = connector_of(endpoint.url)
    started_at = datetime.now(UTC)
    request = connector.write(endpoint, event, message_id=message_id, now=started_at)
    exchange = Exchange(
        endpoint=endpoint,
        delivery_id=delivery_id,
        event_uid=event.uid,
        attempt=attempt,
        started_at=started_at,
    )
    try:
        answer = connector.pass_on(endpoint, request)
    except NothingSent as error:
        _keep(exchange, request, Answer(status=None, error=str(error)))
        raise
    return _keep(exchange, request, answer)


def _keep(exchange: Exchange, request: Request, answer: Answer) -> Exchange:
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
