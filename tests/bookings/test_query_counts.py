"""A booking costs a fixed number of statements, however many stays it has."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.engine import router, working
from apps.tenants.entering import TenantRef
from pms_events.envelope import Envelope
from tests.bookings.facts import make_units, state, stay, tell

UNITS = [str(unit) for unit in range(101, 111)]
_SCANS = ("WITH picked AS", "SELECT turn FROM", "latest ON true", 'FROM "dispatch_cap"')
NOW = datetime(2027, 1, 1, tzinfo=UTC)


def statements(tenant: TenantRef, fact: Envelope, category: str = "bookings") -> int:
    """How many statements the worker of a category needs for a fact, the engine's included.

    Not its scans: how many those are depends on when it last looked from the bottom.
    """
    tell(tenant, fact)
    router.route()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        working.work(category)
    return sum(not any(scan in query["sql"] for scan in _SCANS) for query in captured)


def booked(stays: int, *, revision: int = 1, first: int = 1, **more: Any) -> Envelope:
    units = [stay(unit, unit, first, first + 3) for unit in UNITS[:stays]]
    kind = "booking.created" if revision == 1 else "booking.modified"
    return state(f"B{stays}", *units, revision=revision, kind=kind, **more)


@pytest.mark.parametrize("revision", [1, 2])
def test_ten_stays_cost_as_many_statements_as_one(
    acme: TenantRef, run_all: Callable[..., int], revision: int
) -> None:
    make_units(acme, *UNITS)
    counts = []
    for stays, first in ((1, 1), (10, 11)):
        if revision == 2:
            tell(acme, booked(stays, first=first))
            run_all()
        counts.append(statements(acme, booked(stays, revision=revision, first=first + revision)))
        run_all()
    assert counts[0] == counts[1]
