"""What waits for the router: the oldest, or what others have behind a flood of some tenants.

Taken under the router's advisory lock, in its transaction. A tenant's arrivals are always taken in the
order of their ids: nothing may be left behind that another publisher has still to commit.
"""

from collections.abc import Collection
from functools import partial
from operator import attrgetter

from django.db import connection, transaction

from apps.dispatch.marks import Mark, Pace
from apps.dispatch.statements import fetch
from apps.dispatch.work import ArrivalRow

WINDOW = 1_000_000
"""So many arrivals of a flood the router looks past for others: a tenth of a second of work."""
_PASSED_LAG_SECONDS = 0.1

_pace = Pace()
_mark = Mark(0)


class _Passed:
    """Where a look past a flood may begin: below it stand arrivals of these tenants alone."""

    def __init__(self) -> None:
        self._tenants: frozenset[int] = frozenset()
        self.mark = Mark(0, lag_seconds=_PASSED_LAG_SECONDS)

    def note_flood(self, tenants: Collection[int]) -> None:
        """Tell who floods now. Of one who does no more, arrivals may have been passed over."""
        if not self._tenants.issubset(tenants):
            self.mark = Mark(0, lag_seconds=_PASSED_LAG_SECONDS)
        self._tenants = frozenset(tenants)


_passed = _Passed()


def take_arrivals(*, limit: int) -> list[ArrivalRow]:
    """Take the oldest arrivals, in the order of their acceptance."""
    may_rise = _may_rise(_mark)
    arrivals = _take("take_arrivals", since=_beginning(), limit=limit)
    if arrivals:
        _mark.note(arrivals[0].id, may_rise=may_rise)
    return arrivals


def take_others(tenants: Collection[int], *, limit: int) -> list[ArrivalRow]:
    """Take what other tenants have waiting behind a flood of these, in the order of its acceptance.

    Looks past WINDOW arrivals at most, and at the flood itself about once.
    """
    _passed.note_flood(tenants)
    since = max(_beginning(), _passed.mark.bound)
    may_rise = _may_rise(_passed.mark)
    last = _last_arrival()
    arrivals = _take(
        "take_others", since=since, limit=limit, window=WINDOW, tenants=sorted(tenants)
    )
    if len(arrivals) < limit:
        # Undone, what was taken stands there again, below what was seen.
        seen = min(last, since + WINDOW)
        transaction.on_commit(partial(_passed.mark.note, seen, may_rise=may_rise))
    return arrivals


def find_oldest_arrival() -> int | None:
    """Find what waits longest for the router; what came late may be found a while later."""
    if _pace.is_due or _pace.is_cheap:
        return _first_arrival()
    return _first_of_arrivals(_mark.bound)


def _take(name: str, **wanted: object) -> list[ArrivalRow]:
    return sorted((ArrivalRow(*row) for row in fetch(name, wanted)), key=attrgetter("id"))


def _may_rise(mark: Mark) -> bool:
    """Tell whether all has committed that may be below what was seen. Ask before the look that finds it."""
    return mark.is_due and not fetch("open_writers", {"seconds": mark.age})[0][0]


def _beginning() -> float:
    first = _first_arrival() if _pace.is_due or _pace.is_cheap else None
    return first or _mark.bound


def _first_arrival() -> int | None:
    with _pace.looking_from_the_bottom():
        return _first_of_arrivals(0)


def _first_of_arrivals(since: float) -> int | None:
    with connection.cursor() as cursor:
        sql = "SELECT id FROM dispatch_arrival WHERE id >= %s ORDER BY id LIMIT 1"
        cursor.execute(sql, [since])
        row = cursor.fetchone()
    return row[0] if row else None


def _last_arrival() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(max(id), 0) FROM dispatch_arrival")
        return int(cursor.fetchone()[0])
