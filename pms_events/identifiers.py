"""Identifiers that sort by the time at which they were made."""

import os
import time
import uuid


def new_uid() -> uuid.UUID:
    """Make a UUID version 7 (RFC 9562): 48 bits of milliseconds, then random bits.

    Rows keyed by it append at the end of their index, which keeps inserts cheap in a large log.
    """
    millis = time.time_ns() // 1_000_000
    random_bits = int.from_bytes(os.urandom(10), "big")
    value = (millis & 0xFFFFFFFFFFFF) << 80
    value |= 0x7 << 76
    value |= (random_bits >> 68) << 64
    value |= 0b10 << 62
    value |= random_bits & 0x3FFFFFFFFFFFFFFF
    return uuid.UUID(int=value)
