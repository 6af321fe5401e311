"""Sending events to endpoints, by webhook or by mail."""

from typing import Any

from django.conf import settings

from apps.sync.exchanging import connector_of, send
from apps.sync.failures import EndpointOff
from apps.sync.models import Endpoint
from pms_events.catalogue.sync import KEPT_INSIDE
from pms_events.categories import SYNC
from pms_events.context import Context
from pms_events.handlers import Effects, handles
from pms_events.outcomes import Discard, Outcome
from pms_events.retry import Retry


@handles(
    "*",
    category=SYNC,
    effects=Effects.EXTERNAL,
    fan_out=True,
    retry=Retry(attempts=settings.WEBHOOK_RETRY_ATTEMPTS, first=settings.WEBHOOK_RETRY_FIRST),
)
def send_webhook(event: Any, context: Context) -> Outcome:
    """Send an event to one endpoint: a post, or a mail when its URL is `mailto:`.

    The name is kept in rows of the database, so it stays. A receiver tells a repeat by its
    `webhook-id`, or its Message-ID. Safe to run twice for a receiver that keeps to that; one that
    does not sees the event twice when its answer was lost. WEBHOOK_RETRY_ATTEMPTS is how often it is
    tried in all, WEBHOOK_RETRY_FIRST the ceiling of the first wait; the next ones grow threefold, to
    30 minutes. What an answer means is the connector's to say.
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
    return connector_of(endpoint.url).read_answer(exchange, now=context.now)
