"""What the sweep does to the hot tables: due retries, leases that ran out."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from apps.dispatch.clocks import clock_columns
from apps.dispatch.marks import Pace
from apps.dispatch.models import State
from apps.dispatch.statements import fetch
from apps.dispatch.work import Claimed
from pms_events.verdicts import MAX_CRASHES

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_OVERLAP = timedelta(seconds=5)


class _TimeScan:
    """A statement over rows up to now, which seldom looks at what it has already passed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pace = Pace()
        self._passed = _BEGINNING

    def run(self, parameters: dict[str, Any], *, limit: int) -> list[tuple[Any, ...]]:
        begun = datetime.now(UTC)
        wanted = {**parameters, **clock_columns(), "limit": limit}
        if self._pace.is_due:
            with self._pace.looking_from_the_bottom():
                rows = fetch(self._name, {**wanted, "since": _BEGINNING})
        else:
            rows = fetch(self._name, {**wanted, "since": self._passed - _OVERLAP})
        if len(rows) < limit:
            self._passed = begun
        return rows


_due = _TimeScan("make_due")
_late = _TimeScan("expired")


def make_due(*, limit: int = 2000) -> set[str]:
    """Make deliveries ready whose time has come; gives the categories that have new work."""
    return {row[0] for row in _due.run({}, limit=limit)}


def expire_leases(
    *, lease_for: timedelta, limit: int = 1000
) -> tuple[UUID, list[Claimed], set[str]]:
    """Take back what dead workers held.

    Gives a lease token, the deliveries that crashed too often (now ours under that token, to be
    buried), and the categories of those that are ready again.
    """
    lease = uuid4()
    wanted = {"lease": lease, "lease_for": lease_for, "max_crashes": MAX_CRASHES}
    rows = _late.run(wanted, limit=limit)
    poison = [Claimed(*row[:-1]) for row in rows if row[-1] == State.RUNNING]
    return lease, poison, {row[6] for row in rows if row[-1] == State.READY}
