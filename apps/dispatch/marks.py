"""How an ordered scan skips what is dead: begin where the last one found something.

Rows of the hot tables come and go in the order of their index. As long as an old snapshot lives
somewhere (a backup, a report, a forgotten session), PostgreSQL cannot remove what is gone, and every
scan from the bottom walks over all of it: after minutes of that a claim would cost hundreds of
milliseconds. So each process remembers, for each scan, a bound below which it saw nothing.

A bound is a hint, never the truth: a row may still appear below it, from a transaction that began a
moment ago. So a bound lags behind what was seen, and a scan begins at the bottom again every now and
then, the more rarely the more that cost. Until then such a row waits; it is never lost. Where it
would come out of its order, as an arrival would, the scan says when its bound may rise. See
docs/decisions/0009.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

_CHEAP_SECONDS = 0.005
_LEAST_SECONDS = 0.2
_MOST_SECONDS = 30.0
_SHARE = 100
"""Scans from the bottom take at most a hundredth of the time; there are several in each process."""

_LAG_SECONDS = 1.0
"""Longer than a transaction takes that chooses a place in the order and then commits."""


class Mark:
    """What a scan saw first, one to two lags ago: where it may begin.

    Before anything was seen, the bottom.
    """

    def __init__(self, bottom: float, *, lag_seconds: float = _LAG_SECONDS) -> None:
        self._older = self._newer = bottom
        self._lag = lag_seconds
        self._turned_at = time.monotonic()

    @property
    def bound(self) -> float:
        """Nothing that was there a lag ago is below it."""
        return self._older

    @property
    def age(self) -> float:
        """For how many seconds the next bound has been seen; from a lag on it may take its place."""
        return time.monotonic() - self._turned_at

    @property
    def is_due(self) -> bool:
        return self.age >= self._lag

    def note(self, first: float, *, may_rise: bool = True) -> None:
        """Take in what a scan saw first. `may_rise`: the bound may take the next one's place."""
        self._newer = min(self._newer, first)
        if may_rise and self.is_due:
            self._older, self._newer, self._turned_at = self._newer, first, time.monotonic()


class Pace:
    """When a scan begins at the bottom; at least every `most_seconds`. One a scan and process.

    `share`: it takes at most one part in so many of the time.
    """

    def __init__(
        self,
        *,
        least_seconds: float = _LEAST_SECONDS,
        most_seconds: float = _MOST_SECONDS,
        share: float = _SHARE,
    ) -> None:
        self._least, self._most, self._share = least_seconds, most_seconds, share
        self._full_at = 0.0
        self._cost = 0.0

    @property
    def is_due(self) -> bool:
        """It is time to look from the bottom again."""
        return time.monotonic() >= self._full_at

    @property
    def is_cheap(self) -> bool:
        """The last look from the bottom cost so little that it may be repeated at once."""
        return self._cost < _CHEAP_SECONDS

    @contextmanager
    def looking_from_the_bottom(self) -> Iterator[None]:
        """Measure a scan from the bottom, and set when the next one is due."""
        started = time.monotonic()
        yield
        ended = time.monotonic()
        self._cost = ended - started
        self._full_at = ended + min(self._most, max(self._least, self._share * self._cost))
