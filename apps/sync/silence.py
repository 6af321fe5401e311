"""When is an outside sender silent? Pure: from the gaps between what it sent, and a person's limit.

A person's limit wins. Without one a sender is judged only when it is known (`ENOUGH` gaps), and with
patience, because senders sleep at night and at weekends: nothing less than a day, four times the usual
gap, or half as much again as the longest gap of late.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

ENOUGH = 5
"""How many gaps have to be seen before a sender is judged by them."""

PATIENCE = timedelta(days=1)
_TIMES_USUAL = 4.0
_TIMES_LONGEST = 1.5
_WEIGHT = 0.1  # of the newest gap in the mean
_HALF_LIFE = timedelta(days=30)  # of the longest gap: what a holiday taught is forgotten
_TAUGHT_AT_MOST = 2.0  # times the limit: an outage must not teach us to expect outages
_NEVER = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How a sender sends. `usual_gap`: an exponentially weighted mean. `longest_gap` decays."""

    gaps_seen: int = 0
    usual_gap: timedelta = timedelta(0)
    longest_gap: timedelta = timedelta(0)


def learn(rhythm: Rhythm, gap: timedelta) -> Rhythm:
    """Take one more gap into account. A gap below zero, of two at once, counts as none."""
    gap = max(gap, timedelta(0))
    decayed = rhythm.longest_gap * 0.5 ** (min(gap, _NEVER) / _HALF_LIFE)
    if rhythm.gaps_seen >= ENOUGH:
        gap = min(gap, _usual_limit(rhythm) * _TAUGHT_AT_MOST)
    mean = rhythm.usual_gap + (gap - rhythm.usual_gap) * _WEIGHT if rhythm.gaps_seen else gap
    return Rhythm(
        gaps_seen=min(rhythm.gaps_seen + 1, 1_000_000),
        usual_gap=mean,
        longest_gap=max(gap, decayed),
    )


def get_limit(rhythm: Rhythm, *, silent_after: timedelta | None) -> timedelta | None:
    """Tell how long a sender may say nothing; None while nobody can know."""
    if silent_after is not None:
        return silent_after
    return _usual_limit(rhythm) if rhythm.gaps_seen >= ENOUGH else None


def is_silent(limit: timedelta | None, *, since: datetime, now: datetime) -> bool:
    """Tell whether a sender that was last heard, or watched, at `since` has exceeded its limit."""
    return limit is not None and now - since > limit


def _usual_limit(rhythm: Rhythm) -> timedelta:
    return max(PATIENCE, rhythm.usual_gap * _TIMES_USUAL, rhythm.longest_gap * _TIMES_LONGEST)
