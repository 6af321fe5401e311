"""The clock of each category and lane: the turn of what is claimed next.

A delivery that becomes ready later never gets a turn below it, or it would overtake everybody. The
clock is a matter of fairness only, so a value that is a second old will do.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.dispatch.marks import Mark, Pace
from apps.dispatch.models import Lane
from apps.dispatch.statements import fetch
from pms_events.categories import Category, Priority
from pms_events.routing import HEAD_START

BOTTOM = float("-inf")
_MARGIN = max(HEAD_START.values())
"""How far below the clock a new delivery's turn can be: a whole head start."""
_FRESH_SECONDS = 0.5
_ALL = [(category.value, int(lane)) for category in Category for lane in Lane]

Place = tuple[str, int]
"""category, lane"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Turn and priority of the next ready delivery, both None when nothing is ready.

    `last_turn` is the last one that the router gave, 0 when it never gave any.
    """

    turn: float | None
    priority: Priority | None
    last_turn: float


_turns: dict[Place, float] = {}
_marks: dict[Place, Mark] = {}
_pace = Pace()
_read_at = BOTTOM


def bound(place: Place) -> float:
    """Give the turn at which a scan of this place's ready deliveries may begin."""
    mark = _marks.get(place)
    return BOTTOM if mark is None else mark.bound - _MARGIN


def remember(place: Place, turn: float) -> None:
    """Keep the turn of what was found first, or the last one given where nothing was found."""
    _turns[place] = turn
    if place not in _marks:
        _marks[place] = Mark(BOTTOM)
    _marks[place].note(turn)


def read_clocks(places: Sequence[Place]) -> dict[Place, Clock]:
    """Read the clocks of some categories and lanes."""
    if _pace.is_due:
        return _read_from_the_bottom(places)
    clocks = _read(places, [bound(place) for place in places])
    if _pace.is_cheap:
        empty = [place for place in places if clocks[place].turn is None]
        clocks |= _read_from_the_bottom(empty) if empty else {}
    return clocks


def clock_columns() -> dict[str, list[Any]]:
    """Give the clocks that this process knows, at most half a second old, as SQL files take them."""
    global _read_at
    if time.monotonic() - _read_at > _FRESH_SECONDS:
        read_clocks(_ALL)
        _read_at = time.monotonic()
    return {
        "clock_categories": [category for category, _ in _turns],
        "clock_lanes": [lane for _, lane in _turns],
        "clock_turns": list(_turns.values()),
    }


def forget_clocks() -> None:
    """Forget what this process knows (another database, in tests and benchmarks)."""
    global _pace, _read_at
    _turns.clear()
    _marks.clear()
    _pace, _read_at = Pace(), BOTTOM


def _read_from_the_bottom(places: Sequence[Place]) -> dict[Place, Clock]:
    with _pace.looking_from_the_bottom():
        return _read(places, [BOTTOM] * len(places))


def _read(places: Sequence[Place], since: list[float]) -> dict[Place, Clock]:
    rows = fetch(
        "clocks",
        {
            "categories": [category for category, _ in places],
            "lanes": [lane for _, lane in places],
            "since": since,
        },
    )
    clocks = {}
    for category, lane, turn, priority, last_turn in rows:
        clocks[(category, lane)] = Clock(
            turn=turn,
            priority=None if priority is None else Priority(priority),
            last_turn=last_turn or 0.0,
        )
        remember((category, lane), (last_turn or 0.0) if turn is None else turn)
    return clocks
