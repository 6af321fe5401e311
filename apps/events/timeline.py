"""The story of an event as a picture: what led to what, who waited how long, who ran how long.

Pure arithmetic: rows in, shares of the width out. The template draws them; the table below the
picture tells the same facts in words.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_LINEAR = timedelta(seconds=10)
_NARROWEST = 0.6
_STEPS = [timedelta(milliseconds=n) for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)]
_MARKS = [
    timedelta(milliseconds=100), timedelta(seconds=1), timedelta(seconds=10), timedelta(minutes=1),
    timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1),
    timedelta(days=7), timedelta(days=30),
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A stretch of time with what was going on: `wait`, or the verdict of an attempt."""

    start: datetime
    end: datetime
    kind: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A period in the picture; `left` and `width` are percent of it."""

    left: float
    width: float
    kind: str
    says: str


@dataclass(slots=True, kw_only=True)
class Row:
    """One line: an event (without periods) or a delivery below it."""

    label: str
    detail: str = ""
    url: str = ""
    depth: int = 0
    at: datetime
    state: str = ""
    periods: Sequence[Period] = ()
    is_here: bool = False
    left: float = 0
    bars: list[Bar] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line of the time axis."""

    left: float
    after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    rows: list[Row]
    marks: list[Mark]
    length: timedelta
    is_linear: bool


def draw(rows: Sequence[Row]) -> Picture:
    """Lay the rows out on one axis of time: linear for a short story, else stretched at its start,
    so that milliseconds can be told apart beside hours."""
    start = min(row.at for row in rows)
    ends = [period.end for row in rows for period in row.periods]
    length = max([*ends, *(row.at for row in rows)]) - start
    length = max(length, timedelta(milliseconds=1))
    scale = _Scale(length)
    for row in rows:
        row.left = scale.share(row.at - start)
        row.bars = [
            Bar(
                left=(left := scale.share(p.start - start)),
                width=max(round(scale.share(p.end - start) - left, 2), _NARROWEST),
                kind=p.kind,
                says=p.says,
            )
            for p in row.periods
        ]
    return Picture(
        rows=list(rows), marks=list(scale.marks()), length=length, is_linear=scale.is_linear
    )


class _Scale:
    def __init__(self, length: timedelta) -> None:
        self.length = length
        self.is_linear = length <= _LINEAR

    def share(self, after: timedelta) -> float:
        """Tell where a moment stands, in percent; what lies outside stands at the edge."""
        part = min(max(after / self.length, 0.0), 1.0)
        if not self.is_linear:
            unit = self.length / timedelta(milliseconds=100)
            part = math.log1p(part * unit) / math.log1p(unit)
        return round(part * (100 - _NARROWEST), 2)

    def marks(self) -> Iterable[Mark]:
        if self.is_linear:
            step = next((s for s in _STEPS if self.length / s <= 4), _STEPS[-1])
            moments = [step * n for n in range(1, int(self.length / step) + 1)]
        else:
            moments = [moment for moment in _MARKS if moment < self.length]
        kept = 0.0
        for moment in moments:
            left = self.share(moment)
            if left - kept >= 15 and left <= 92:
                kept = left
                yield Mark(left=left, after=moment)
