"""When a turnover can be done: from local check-out to local check-in, as instants."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def local_instant(day: date, at: time, zone: str) -> datetime:
    """Turn a wall-clock time of a place into an instant, with the offset of that very day.

    A time that the clocks skip is read with the offset before the change, so it falls just after
    the gap; of a time that occurs twice, the first is meant (PEP 495, fold=0).
    """
    return datetime.combine(day, at, tzinfo=ZoneInfo(zone)).astimezone(UTC)
