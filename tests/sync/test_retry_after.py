"""Reading `Retry-After`."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.sync.retry_after import LONGEST, read_retry_after

_NOW = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("99999999999999999999", 3600),
        ("Tue, 01 Jun 2027 12:05:00 GMT", 300),
        ("Tue, 01 Jun 2027 12:05:00 -0000", 300),
        ("Tue, 01 Jun 2027 11:00:00 GMT", 0),
        ("Wed, 02 Jun 2027 12:00:00 GMT", 3600),
    ],
)
def test_seconds_and_dates_are_read_and_capped(text: str, seconds: int) -> None:
    assert read_retry_after(text, now=_NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "²", "Tue, 99 Jun 2027 12:00:00 GMT"])
def test_what_cannot_be_read_asks_for_nothing(text: str) -> None:
    assert read_retry_after(text, now=_NOW) is None


@given(st.one_of(st.text(), st.from_regex(r"\w{3}, \d+ Jun \d+ \d+:\d+:\d+ [+-]\d+")))
def test_whatever_a_receiver_says_the_wait_is_in_bounds(text: str) -> None:
    asked = read_retry_after(text, now=_NOW)
    assert asked is None or timedelta(0) <= asked <= LONGEST
