"""Sending events to endpoints."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from django.conf import settings

from apps.sync import operations
from apps.sync.connectors.webhook import write_request
from apps.sync.models import Endpoint
from apps.sync.sending import Answer, post
from pms_events.categories import SYNC
from pms_events.context import Context
from pms_events.errors import PermanentError
from pms_events.handlers import Effects, handles
from pms_events.outcomes import Discard, Done, Outcome
from pms_events.retry import Retry

_GONE = 410
_LONGEST_RETRY_AFTER = timedelta(hours=1)


class EndpointFailed(Exception):
    """An endpoint did not take an event. `retry_after` is what it asked for, None if nothing."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class EndpointOff(PermanentError):
    """The endpoint is disabled: nothing was sent."""


@handles(
    "*",
    category=SYNC,
    effects=Effects.EXTERNAL,
    fan_out=True,
    retry=Retry(attempts=settings.WEBHOOK_RETRY_ATTEMPTS, first=settings.WEBHOOK_RETRY_FIRST),
)
def send_webhook(event: Any, context: Context) -> Outcome:
    """Post an event to one endpoint. A receiver tells a repeat by its `webhook-id`."""
    endpoint = Endpoint.objects.filter(pk=context.target).first()
    if endpoint is None:
        return Discard("the endpoint was deleted")
    if not endpoint.is_enabled:
        raise EndpointOff(
            f"the endpoint {endpoint.url} is disabled ({endpoint.disabled_reason or 'by a person'})"
            ": enable it, then retry"
        )
    answer, millis = send(endpoint, context)
    if answer.status is not None and 200 <= answer.status < 300:
        return Done(f"HTTP {answer.status} in {millis} ms")
    if answer.status == _GONE:
        operations.disable_endpoint(endpoint, reason="it answered 410 Gone")
        raise EndpointOff(f"{endpoint.url} answered 410 Gone, so it was disabled")
    raise EndpointFailed(_describe(endpoint, answer), _retry_after(answer, now=context.now))


def send(endpoint: Endpoint, context: Context) -> tuple[Answer, int]:
    """Post the event once and keep the exchange; gives the answer and how long it took, in ms."""
    started_at = datetime.now(UTC)
    request = write_request(
        context.event,
        message_id=context.idempotency_key,
        secrets=operations.get_secrets(endpoint, now=started_at),
        now=started_at,
    )
    answer = post(endpoint.url, headers=request.headers, body=request.body)
    exchange = operations.record_exchange(
        endpoint,
        headers=request.headers,
        body=request.body,
        answer=answer,
        started_at=started_at,
        ended_at=datetime.now(UTC),
        delivery_id=context.delivery_id or None,
        event_uid=context.event.uid,
        attempt=context.attempt,
    )
    return answer, exchange.duration_ms


def _describe(endpoint: Endpoint, answer: Answer) -> str:
    if answer.status is None:
        return f"{endpoint.url} did not answer: {answer.error}"
    said = answer.body[:200].decode("utf-8", "replace").strip()
    return f"{endpoint.url} answered {answer.status}" + (f": {said}" if said else "")


def _retry_after(answer: Answer, *, now: datetime) -> timedelta | None:
    """Read Retry-After (RFC 9110 §10.2.3): seconds or a date; at most an hour is granted."""
    text = {k.lower(): v for k, v in answer.headers.items()}.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), _LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(timedelta(0), min(at - now, _LONGEST_RETRY_AFTER))
