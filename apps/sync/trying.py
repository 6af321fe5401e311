"""Trying an endpoint: one event right now, kept in no log and retried never."""

from datetime import UTC, datetime

from apps.sync.exchanging import send
from apps.sync.models import Endpoint, Exchange
from pms_events.context import Event
from pms_events.identifiers import new_uid
from pms_events.publishing import OWN_SOURCE

TEST_TYPE = "custom.endpoint_tested"


def try_endpoint(endpoint: Endpoint, *, now: datetime) -> Exchange:
    """Send a `custom.endpoint_tested`, whatever the endpoint's patterns, also to a disabled one.

    The message has an id of its own each time: a receiver that drops repeats must not drop it.
    Raises: NothingSent; UnreadableSecret.
    """
    now = now.astimezone(UTC)
    uid = new_uid()
    event = Event(
        uid=uid, id=str(uid), source=OWN_SOURCE, type=TEST_TYPE, subject="", time=now,
        time_was_given=True, data={"endpoint": str(endpoint.pk)}, extensions={}, recorded_at=now,
    )  # fmt: skip
    return send(endpoint, event, message_id=f"test_{uid}")
