"""Identifiers that sort by the time at which they were made."""

import os
import time
import uuid
from datetime import UTC, datetime


def new_uid() -> uuid.UUID:
    """Make a UUID version 7 (RFC 9562 §6.2, method 3): time to a quarter microsecond, then chance.

    Rows keyed by it append at the end of their index, and sort in the order of their making.
    """
    millis, rest = divmod(time.time_ns(), 1_000_000)
    value = (millis & 0xFFFFFFFFFFFF) << 80
    value |= 0x7 << 76
    value |= (rest * 4096 // 1_000_000) << 64
    value |= 0b10 << 62
    value |= int.from_bytes(os.urandom(8), "big") >> 2
    return uuid.UUID(int=value)


def first_uid_at(moment: datetime) -> uuid.UUID:
    """Give the smallest uid that can be made in the millisecond of `moment`: a bound in time."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)


def made_at(uid: uuid.UUID) -> datetime:
    """Tell when a uid was made, to the millisecond."""
    return datetime.fromtimestamp((uid.int >> 80) / 1000, tz=UTC)
