"""The picture of a story: shares of the width, for a blink and for a month."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.events.timeline import Period, Row, draw

T0 = datetime(2027, 6, 1, 12, tzinfo=UTC)
_DELAYS = st.integers(0, 10**9)


def ms(number: float) -> timedelta:
    return timedelta(milliseconds=number)


def delivery(*cuts: float) -> Row:
    periods = [
        Period(start=T0 + ms(a), end=T0 + ms(b), kind="done", says="") for a, b in pairwise(cuts)
    ]
    return Row(label="handler", at=T0, periods=periods)


def test_a_short_story_is_drawn_to_scale() -> None:
    picture = draw([Row(label="event", at=T0), delivery(0, 100, 400)])
    assert picture.is_linear
    assert picture.length == ms(400)
    bars = picture.rows[1].bars
    assert [bar.left for bar in bars] == [0, 24.85]
    assert [bar.width for bar in bars] == [24.85, pytest.approx(74.55)]
    assert [mark.after for mark in picture.marks] == [ms(100), ms(200), ms(300)]


def test_a_long_story_keeps_its_beginning_apart() -> None:
    hour = 3_600_000
    picture = draw([delivery(0, 500, hour, hour + 500)])
    first, _, last = picture.rows[0].bars
    assert not picture.is_linear
    assert first.width > 10
    assert last.left + last.width <= 100


def test_an_event_alone_is_drawn() -> None:
    picture = draw([Row(label="event", at=T0)])
    assert picture.rows[0].left == 0


@given(st.lists(st.tuples(_DELAYS, _DELAYS, _DELAYS), min_size=1, max_size=20))
def test_bars_stay_inside_and_in_order(rows: list[tuple[int, int, int]]) -> None:
    picture = draw([delivery(*sorted(cuts)) for cuts in rows])
    for row in picture.rows:
        lefts = [bar.left for bar in row.bars]
        assert lefts == sorted(lefts)
        assert all(bar.left >= 0 and bar.left + bar.width <= 100.01 for bar in row.bars)
    assert all(0 < mark.left < 100 for mark in picture.marks)
