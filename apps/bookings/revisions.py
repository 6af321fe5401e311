"""Which revision of a booking is newer: pure. Channels send them in any order.

1. What creates a booking is older than what changes it, whenever it arrives: a cancel may precede
   its create, and a late create must not bring the booking back.
2. Where both sides number their revisions, the numbers decide: they are the source's own counter.
3. Otherwise the source's time of the revision, then its id.
"""

import re
from dataclasses import dataclass
from datetime import datetime

_DIGITS = re.compile(r"^\d{1,18}$", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionKey:
    """Where a revision stands among those of its booking. `number` is None when it has none."""

    is_creation: bool
    number: int | None
    at: datetime
    ref: str


def is_newer(one: RevisionKey, than: RevisionKey) -> bool:
    """Tell whether `one` is strictly newer; the same revision again is not."""
    if one.is_creation != than.is_creation:
        return than.is_creation
    if one.number is not None and than.number is not None:
        return one.number > than.number
    return (one.at, _natural(one.ref)) > (than.at, _natural(than.ref))


def number_of(*candidates: object) -> int | None:
    """Read the revision number from the first candidate that is one: 7 or "7"."""
    for candidate in candidates:
        # Beyond a bigint a number could not be kept; the time and the id still order it.
        if isinstance(candidate, int) and type(candidate) is not bool and abs(candidate) < 2**63:
            return candidate
        if isinstance(candidate, str) and _DIGITS.match(candidate):
            return int(candidate)
    return None


def _natural(ref: str) -> tuple[int, int, str]:
    """Order numeric ids as numbers, before all others."""
    number = number_of(ref)
    return (0, number, "") if number is not None else (1, 0, ref)
