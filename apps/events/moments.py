"""Times as people type them on a command line."""

from datetime import MAXYEAR, MINYEAR, datetime

from django.core.management.base import CommandError
from django.utils.dateparse import parse_datetime


def read_moment(name: str, text: str | None) -> datetime | None:
    """Read an RFC 3339 time with an offset; None stays None. Raises: CommandError."""
    if text is None:
        return None
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not MINYEAR < moment.year < MAXYEAR:
        raise CommandError(f"{name}: '{text}' is no time with an offset: 2027-06-01T00:00:00Z")
    return moment
