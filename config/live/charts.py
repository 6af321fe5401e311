"""Bars as inline SVG, made by the server: small, without a script, with words for who cannot see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.dispatch.progress import BUCKET, bucket_of

WINDOW = timedelta(hours=3)
WIDTH, HEIGHT = 180, 36
_GAP = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One five minutes: where it is drawn, and how much it stands for."""

    x: float
    y: float
    width: float
    height: float
    count: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The course of one number over the window. `kind` is its colour and its word."""

    id: str
    kind: str
    title: str
    description: str
    bars: list[Bar]
    total: int
    highest: int


def buckets(now: datetime) -> list[datetime]:
    """List when the five minutes of the window begin, oldest first; the last one is not over."""
    last = bucket_of(now)
    return [last - BUCKET * n for n in reversed(range(WINDOW // BUCKET))]


def draw(*, id: str, kind: str, of: str, times: Sequence[datetime], counts: Sequence[int]) -> Chart:
    """Draw one number's course. `of` names whose it is, for the title: "bookings"."""
    highest, total = max(counts, default=0), sum(counts)
    step = WIDTH / max(1, len(times))
    bars = []
    for n, (at, count) in enumerate(zip(times, counts, strict=True)):
        height = max(2.0, HEIGHT * count / highest) if count else 0.0
        bars.append(
            Bar(
                x=round(n * step, 2), y=round(HEIGHT - height, 2), width=round(step - _GAP, 2),
                height=round(height, 2), count=count, at=at,
            )
        )  # fmt: skip
    hours = int(WINDOW.total_seconds() // 3600)
    return Chart(
        id=id, kind=kind, title=f"{kind.capitalize()} of {of}, last {hours} hours",
        description=f"{total} in all; at most {highest} in five minutes; {counts[-1]} in the last.",
        bars=bars, total=total, highest=highest,
    )  # fmt: skip
