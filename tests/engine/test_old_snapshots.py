"""An old snapshot keeps what is gone in the tables. A claim must not walk over all of it."""

import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import psycopg2
import pytest
from django.db import connection, transaction
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ

from apps.dispatch import clocks
from apps.dispatch.marks import Mark
from apps.dispatch.models import Lane
from apps.dispatch.statements import statement
from apps.engine.working import work
from apps.tenants.entering import TenantRef
from tests.engine.handlers import handler
from tests.engine.test_fairness import publish, route_all

PLACE = ("automation", int(Lane.LIVE))


@pytest.fixture
def old_snapshot(database: None) -> Iterator[None]:
    """A report that reads at this moment and does not end."""
    reader = psycopg2.connect(**connection.get_connection_params())
    reader.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
    with reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM public.dispatch_pendingdelivery")
        yield
    reader.close()


def pages_of_a_claim(*, since: float) -> int:
    """How many pages a claim touches that begins there. It claims nothing."""
    wanted = {
        "category": PLACE[0], "lane": PLACE[1], "limit": 1, "since": since,
        "lease": uuid4(), "lease_for": timedelta(minutes=1), "handlers": [""],
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement('claim')}", wanted)
        plan = cursor.fetchone()[0][0]["Plan"]
        transaction.set_rollback(True)
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_a_claim_begins_behind_what_is_gone(old_snapshot: None, acme: TenantRef) -> None:
    with handler():
        publish(acme, "gone", 4000)
        for rest in ("a", "b"):
            route_all()
            while work("automation")[1]:
                continue
            time.sleep(1.1)  # a bound lags a second behind what was seen
            publish(acme, rest, 20)
        route_all()
        work("automation", limit=10)
        found = pages_of_a_claim(since=clocks.bound(PLACE))
        walked = pages_of_a_claim(since=clocks.BOTTOM)
    assert walked > 80, "the old snapshot kept nothing: this test shows nothing"
    assert found * 3 < walked


def test_a_mark_is_what_was_seen_at_least_a_lag_ago() -> None:
    mark = Mark(0, lag_seconds=0.02)
    bounds = []
    for seen in ((10,), (20,), (30, 25), (40,)):
        for first in seen:
            mark.note(first)
        bounds.append(mark.bound)
        time.sleep(0.03)
    assert bounds == [0, 0, 20, 25]
