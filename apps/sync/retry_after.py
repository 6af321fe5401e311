"""What a receiver asks for with `Retry-After`."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(hours=1)
"""No receiver puts its own deliveries off for longer; our backoff goes on from there."""


def read_retry_after(text: str, *, now: datetime) -> timedelta | None:
    """Read the header's value, seconds or a date (RFC 9110 §10.2.3): from 0 to an hour.

    None when it says nothing that can be read.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST)
    try:
        at = parsedate_to_datetime(text)
        if at.tzinfo is None:  # "-0000": UTC of unknown origin
            at = at.replace(tzinfo=UTC)
        return max(timedelta(0), min(at - now, LONGEST))
    except (ValueError, OverflowError):
        return None
