"""When a sender counts as silent: a pure decision, tried with rhythms of all kinds."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.sync.silence import ENOUGH, PATIENCE, Rhythm, get_limit, is_silent, learn

NOW = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
_gap = st.timedeltas(timedelta(0), timedelta(days=60))
_gaps = st.lists(_gap, max_size=60)


def after(gaps: list[timedelta]) -> Rhythm:
    rhythm = Rhythm()
    for gap in gaps:
        rhythm = learn(rhythm, gap)
    return rhythm


def usual_limit(gaps: list[timedelta]) -> timedelta | None:
    return get_limit(after(gaps), silent_after=None)


@given(_gaps, st.timedeltas(timedelta(minutes=1), timedelta(days=366)))
def test_a_person_s_limit_wins(gaps: list[timedelta], limit: timedelta) -> None:
    assert get_limit(after(gaps), silent_after=limit) == limit


@given(st.lists(_gap, max_size=ENOUGH - 1))
def test_who_is_not_known_yet_is_not_judged(gaps: list[timedelta]) -> None:
    assert usual_limit(gaps) is None
    assert not is_silent(None, since=NOW - timedelta(days=999), now=NOW)


@given(st.lists(_gap, min_size=ENOUGH, max_size=60))
def test_nobody_is_silent_within_a_day(gaps: list[timedelta]) -> None:
    limit = usual_limit(gaps)
    assert limit is not None
    assert limit >= PATIENCE


@given(_gap, st.integers(ENOUGH, 200))
def test_who_keeps_time_is_never_silent(gap: timedelta, times: int) -> None:
    rhythm = after([gap] * times)
    limit = get_limit(rhythm, silent_after=None)
    assert limit is not None
    assert not is_silent(limit, since=NOW - gap, now=NOW)


@given(st.lists(_gap, min_size=ENOUGH, max_size=60))
def test_everybody_who_is_known_is_silent_in_the_end(gaps: list[timedelta]) -> None:
    limit = usual_limit(gaps)
    assert limit is not None
    assert limit <= max(PATIENCE, 4 * max(gaps))
    assert is_silent(limit, since=NOW - limit - timedelta(seconds=1), now=NOW)


@given(_gaps, _gap, _gap, st.one_of(st.none(), st.timedeltas(HOUR, timedelta(days=30))))
def test_who_is_silent_stays_so_until_heard(
    gaps: list[timedelta], ago: timedelta, later: timedelta, own: timedelta | None
) -> None:
    limit = get_limit(after(gaps), silent_after=own)
    since = NOW - ago
    if is_silent(limit, since=since, now=NOW):
        assert is_silent(limit, since=since, now=NOW + later)


@given(st.lists(_gap, min_size=ENOUGH, max_size=30), st.timedeltas(HOUR, timedelta(days=3000)))
def test_an_outage_moves_the_limit_threefold_at_most(
    gaps: list[timedelta], outage: timedelta
) -> None:
    rhythm = after(gaps)
    before, since = get_limit(rhythm, silent_after=None), learn(rhythm, outage)
    limit = get_limit(since, silent_after=None)
    assert before is not None
    assert limit is not None
    assert limit <= 3 * before


@given(st.lists(st.timedeltas(timedelta(days=-3), timedelta(days=3)), max_size=30))
def test_clocks_that_go_back_do_no_harm(gaps: list[timedelta]) -> None:
    rhythm = after(gaps)
    assert rhythm.usual_gap >= timedelta(0)
    assert rhythm.longest_gap >= rhythm.usual_gap or rhythm.gaps_seen > 1


def test_an_office_that_is_closed_at_night_and_at_weekends_is_not_told() -> None:
    """Every half hour from 9 to 17, Monday to Friday, after a week of getting to know it."""
    heard = [
        NOW.replace(day=1, hour=0) + timedelta(days=day, hours=9, minutes=30 * n)
        for day in range(30)
        if (NOW.replace(day=1) + timedelta(days=day)).weekday() < 5
        for n in range(17)
    ]
    rhythm, told = Rhythm(), []
    for before, at in itertools.pairwise(heard):
        limit = get_limit(rhythm, silent_after=None)
        if is_silent(limit, since=before, now=at):
            told.append(before)
        rhythm = learn(rhythm, at - before)
    # The first weekend is news; from the second on it is known.
    assert len(told) == 1


@pytest.mark.parametrize(
    ("gap", "limit"),
    [(timedelta(minutes=1), timedelta(days=1)), (timedelta(days=1), timedelta(days=4))],
)
def test_the_limit_of_a_steady_sender(gap: timedelta, limit: timedelta) -> None:
    assert usual_limit([gap] * 20) == limit
