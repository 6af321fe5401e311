"""Local times become instants by the rules of that very day."""

from datetime import UTC, date, datetime, time

import pytest

from apps.housekeeping.windows import local_instant


@pytest.mark.parametrize(
    ("day", "at", "instant"),
    [
        (date(2027, 3, 27), time(10), datetime(2027, 3, 27, 10, tzinfo=UTC)),
        (date(2027, 3, 28), time(10), datetime(2027, 3, 28, 9, tzinfo=UTC)),
        # 01:30 does not exist on this night: it is read just after the gap, as 02:30.
        (date(2027, 3, 28), time(1, 30), datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),
        # 01:30 occurs twice on this night: the first is meant.
        (date(2027, 10, 31), time(1, 30), datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
        (date(2027, 10, 31), time(10), datetime(2027, 10, 31, 10, tzinfo=UTC)),
    ],
)
def test_a_local_time_has_the_offset_of_its_day(day: date, at: time, instant: datetime) -> None:
    assert local_instant(day, at, "Europe/Lisbon") == instant
