"""The hot statements do not walk over the hot tables, whatever PostgreSQL believes of their size.

A vacuum that comes when a hot table happens to be empty says "no rows" for as long as it grows again. Joins
planned by that are quadratic: seconds for what takes milliseconds.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from apps.dispatch.statements import statement, written
from apps.tenants.entering import TenantRef, entering

ROWS = 20_000
BATCH = 100
LEASE = uuid4()
NOW = datetime.now(UTC)

_PENDING = """INSERT INTO dispatch_pendingdelivery (tenant_id, event_uid, handler, target, stream,
    category, priority, lane, state, turn, due_at, cap_id, lease, lease_until, attempts, failures,
    crashes, accepted_at, include_external, is_redriven, runs_alone)
SELECT %(tenant)s, gen_random_uuid(), 'test.handler', '', 'stream-' || n, 'automation', 2, 0,
    %(state)s, n / 20.0, %(due)s, %(cap)s, %(lease)s, %(until)s, 1, 0, 0, now(), true, false, false
FROM generate_series(1, %(rows)s) AS n"""
_ARRIVALS = """INSERT INTO dispatch_arrival (tenant_id, event_uid, type, stream, accepted_at, lane,
    target, include_external)
SELECT %(tenant)s, gen_random_uuid(), 'custom.a', 'stream-' || n, now(), 0, '', true
FROM generate_series(1, %(rows)s) AS n"""
_HEADS = """SELECT h.id, w.id FROM dispatch_pendingdelivery h
JOIN dispatch_pendingdelivery w USING (tenant_id, handler, target, stream)
WHERE h.state = 'running' AND w.state = 'waiting'"""
_PAUSE = """INSERT INTO dispatch_cap (category, handler, target, at_most, reason, created_by, created_at)
VALUES ('', 'test.handler', '', 0, '', 'ada', now())"""
_EMPTY_STATISTICS = """UPDATE pg_class SET reltuples = 0, relpages = 500
WHERE oid IN ('dispatch_pendingdelivery'::regclass, 'dispatch_arrival'::regclass) OR oid IN (
    SELECT indexrelid FROM pg_index WHERE indrelid IN (
        'dispatch_pendingdelivery'::regclass, 'dispatch_arrival'::regclass))"""

_CLOCK = {"clock_categories": ["automation"], "clock_lanes": [0], "clock_turns": [3.0]}
_USUAL: dict[str, Any] = {
    "limit": BATCH, "lease": LEASE, "lease_for": timedelta(minutes=1), "category": "automation",
    "lane": 0, "since": -1e9, "handlers": [""], **_CLOCK,
}  # fmt: skip
_PAST = {"since": NOW - timedelta(days=1)}
_STATEMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "take_arrivals": ("arrived", {"since": 0}),
    "take_others": ("arrived", {"since": 0, "window": ROWS // 2, "tenants": [0]}),
    "below": ("ready", {"until": 0.0}),
    "claim": ("ready", {}),
    "claim past a pause": ("ready", {}),
    "claim_limited": ("ready", {}),
    "clocks": ("ready", {"categories": ["automation"], "lanes": [0], "since": [-1e9]}),
    "make_due": ("scheduled", _PAST),
    "expired": ("running", {**_PAST, "max_crashes": 3}),
    "unpark": ("paused", {"cap_id": 1}),
    "paused_caps": ("paused", {}),
    "find_heads": ("waiting", {}),
    "any_waiting": ("waiting", {}),
    "promote": ("waiting", {}),
    "newest_waiting": ("waiting", {}),
    "stray_waiting": ("waiting", {}),
    "unhold": ("held", {}),
    "lock_leased": ("running", {}),
    "release": ("running", {}),
    "remove": ("running", {}),
    "reschedule": ("running", {}),
    "events/finish": ("running", {}),
    "events/hold": ("running", {}),
    "events/supersede": ("streams", {}),
}


@pytest.mark.parametrize("is_known", [True, False], ids=["true statistics", "empty statistics"])
@pytest.mark.parametrize("name", _STATEMENTS)
def test_a_hot_statement_visits_few_rows(acme: TenantRef, name: str, is_known: bool) -> None:
    state, more = _STATEMENTS[name]
    with entering(acme), transaction.atomic(), connection.cursor() as cursor:
        heads: dict[str, list[int]] = {}
        if state == "arrived":
            cursor.execute(_ARRIVALS, {"tenant": acme.id, "rows": ROWS})
        elif state == "streams":
            cursor.execute(_PENDING, _row_of(acme, "waiting"))
            cursor.execute(_PENDING, {**_row_of(acme, "running"), "rows": BATCH})
            cursor.execute(_HEADS)
            heads = dict(
                zip(
                    ("heads", "newest"),
                    map(list, zip(*cursor.fetchall(), strict=True)),
                    strict=True,
                )
            )
        else:
            cursor.execute(_PENDING, _row_of(acme, state))
        if is_known:
            cursor.execute("ANALYZE dispatch_pendingdelivery, dispatch_arrival")
        else:
            cursor.execute(_EMPTY_STATISTICS)
        if "pause" in name:
            cursor.execute(_PAUSE)
        parameters = written({**_USUAL, **_columns(cursor), **heads, **more})
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement(name.split()[0])}", parameters)
        plan = cursor.fetchone()[0][0]["Plan"]
        transaction.set_rollback(True)
    visited = sum(_visited(node) for node in _nodes(plan))
    # Once through the table may pass; once through it for each row of a batch may not.
    assert visited < 10 * ROWS, f"{visited} rows were visited for {BATCH} of {ROWS}"


def _row_of(tenant: TenantRef, state: str) -> dict[str, Any]:
    is_running = state == "running"
    return {
        "tenant": tenant.id, "state": state, "rows": ROWS,
        "due": NOW - timedelta(seconds=5) if state == "scheduled" else None,
        "cap": 1 if state == "paused" else None,
        "lease": LEASE if is_running else None,
        "until": NOW - timedelta(minutes=1) if is_running else None,
    }  # fmt: skip


def _columns(cursor: Any) -> dict[str, list[Any]]:
    """What statements take that are given a batch: ids, streams, verdicts."""
    cursor.execute(
        "SELECT id, tenant_id, handler, target, stream FROM dispatch_pendingdelivery ORDER BY id LIMIT %s",
        [BATCH],
    )
    rows = cursor.fetchall() or [(1, 1, "", "", "")]
    names = ("ids", "tenants", "handlers", "targets", "streams")
    found = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    count = len(rows)
    return {
        **found,
        "states": ["done"] * count, "notes": [""] * count,
        "started": [NOW] * count, "finished": [NOW] * count, "due": [NOW] * count,
        "failed": [1] * count, "refund": [0] * count,
    }  # fmt: skip


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _visited(node: dict[str, Any]) -> float:
    removed = sum(float(v) for k, v in node.items() if k.startswith("Rows Removed"))
    return (float(node["Actual Rows"]) + removed) * float(node["Actual Loops"])
