"""Verifying what an outside sender signed, on the bytes as they came.

Source: Standard Webhooks specification 1.0.
"""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from apps.sync.connectors.registry import NotAuthentic, Received
from apps.sync.connectors.webhook import sign

TOLERANCE = timedelta(minutes=5)
"""How far the sender's clock may be from ours; an older request may be a replayed one."""

_NEEDED = ("webhook-id", "webhook-timestamp", "webhook-signature")


def verify(received: Received, *, secrets: Sequence[str], now: datetime) -> None:
    """Check that one of the signatures was made with one of the secrets, a moment ago.

    Every pair is compared, each in constant time, so that the time says nothing about which fits.
    Raises: NotAuthentic.
    """
    message_id, timestamp, signatures = (received.headers.get(name, "") for name in _NEEDED)
    if not (message_id and timestamp and signatures):
        raise NotAuthentic(f"the headers {', '.join(_NEEDED)} are needed")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise NotAuthentic("webhook-timestamp must be whole seconds since 1970")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        raise NotAuthentic("webhook-timestamp is more than five minutes away from our clock")
    given = [signature.encode() for signature in signatures.split()]
    fits = False
    for secret in secrets:
        expected = sign(secret, message_id=message_id, timestamp=timestamp, body=received.body)
        for signature in given:
            fits |= hmac.compare_digest(expected.encode(), signature)
    if not fits:
        raise NotAuthentic("no signature fits the body and the connection's secret")
