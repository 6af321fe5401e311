"""Patterns over event types: `booking.created`, `booking.*` or `*`."""

import re
from functools import lru_cache

_PATTERN = re.compile(r"^(\*|[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?)\Z")


def is_pattern(text: str) -> bool:
    """Tell whether `text` is a well-formed event type or a pattern over event types."""
    return len(text) <= 255 and bool(_PATTERN.match(text))


@lru_cache(maxsize=4096)
def matches(pattern: str, event_type: str) -> bool:
    """Tell whether an event type falls under a pattern. A star stands for one or more last parts."""
    if pattern == "*":
        return True
    if pattern.endswith(".*"):
        return event_type.startswith(pattern[:-1])
    return pattern == event_type
