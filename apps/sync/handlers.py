"""Sending events to endpoints: what an answer means for the delivery."""

from datetime import timedelta
from typing import Any

from django.conf import settings

from apps.sync import operations
from apps.sync.exchanging import send
from apps.sync.models import Endpoint, Exchange
from apps.sync.retry_after import read_retry_after
from pms_events.catalogue.sync import KEPT_INSIDE
from pms_events.categories import SYNC
from pms_events.context import Context
from pms_events.errors import PermanentError
from pms_events.handlers import Effects, handles
from pms_events.outcomes import Discard, Done, Outcome
from pms_events.retry import Retry

_GONE = 410
_SHOWN_OF_ANSWER = 200


class DeliveryFailed(Exception):
    """An endpoint did not take an event. `retry_after` is what it asked for, None if nothing."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class EndpointOff(PermanentError):
    """The endpoint is disabled: a person enables it, then retries; retrying alone cannot help."""


@handles(
    "*",
    category=SYNC,
    effects=Effects.EXTERNAL,
    fan_out=True,
    retry=Retry(attempts=settings.WEBHOOK_RETRY_ATTEMPTS, first=settings.WEBHOOK_RETRY_FIRST),
)
def send_webhook(event: Any, context: Context) -> Outcome:
    """Post an event to one endpoint. A receiver tells a repeat by its `webhook-id`.

    Safe to run twice for a receiver that keeps to that; one that does not sees the event twice when
    its answer was lost. WEBHOOK_RETRY_ATTEMPTS is how often it is tried in all,
    WEBHOOK_RETRY_FIRST the ceiling of the first wait; the next ones grow threefold, to 30 minutes.
    2xx is done, also when the body broke off; 410 disables the endpoint; all else is tried again,
    after `Retry-After` if the receiver asked for it (an hour at most).
    """
    if context.event.type in KEPT_INSIDE:
        # Also ends the circle of an endpoint for all events that posts to a connection of our own.
        return Discard(f"{context.event.type} is not for endpoints")
    endpoint = Endpoint.objects.filter(pk=context.target).first()
    if endpoint is None:
        return Discard("the endpoint was deleted")
    if not endpoint.is_enabled:
        reason = f" ({endpoint.disabled_reason})" if endpoint.disabled_reason else ""
        raise EndpointOff(f"the endpoint at {endpoint.host} is disabled{reason}: enable it, retry")
    exchange = send(
        endpoint,
        context.event,
        message_id=context.idempotency_key,
        delivery_id=context.delivery_id,
        attempt=context.attempt,
    )
    if exchange.is_taken:
        return Done(f"HTTP {exchange.status} in {exchange.duration_ms} ms")
    if exchange.status == _GONE and operations.disable_endpoint(
        endpoint, reason="it answered 410 Gone"
    ):
        raise EndpointOff(
            f"{endpoint.host} answered 410 Gone, so the endpoint was disabled: "
            "enable it, then retry; or discard"
        )
    asked = exchange.response_headers.get("retry-after", "")
    raise DeliveryFailed(describe(exchange), read_retry_after(asked, now=context.now))


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
