"""P7: what a claim costs with a million rows that it must not take, against an empty table."""

import os
import statistics
import time
from datetime import UTC, datetime, timedelta

from django.db import connection

from apps.dispatch.caps import remove_cap, set_cap
from apps.dispatch.claiming import claim
from apps.dispatch.clocks import forget_clocks
from apps.dispatch.models import Cap, Lane, PendingDelivery
from apps.tenants.entering import TenantRef, entering

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
BATCH = 500
_COLUMNS = """tenant_id, event_uid, handler, target, stream, category, priority, lane, state, turn,
    due_at, cap_id, attempts, failures, crashes, accepted_at, include_external, is_redriven,
    runs_alone"""
# Ids in the order of time, as those of events are: random ones would spread over the whole index.
_FILL = f"""INSERT INTO dispatch_pendingdelivery ({_COLUMNS})
    SELECT %(tenant)s, uuidv7(), 'bench.noop', '', %(stream)s || n, 'automation', 2, 0,
        %(state)s, n / 20.0, %(due)s, %(cap)s, 0, 0, 0, now(), true, false, false
    FROM generate_series(1, %(rows)s) AS n"""
_HISTORY = """INSERT INTO events_delivery (id, event_uid, handler, target, category, state,
    attempts, failures, crashes, accepted_at, started_at, finished_at, note)
    SELECT 1000000000 + n, uuidv7(), 'bench.noop', '', 'automation', 'done', 1, 0, 0,
        now(), now(), now(), '' FROM generate_series(1, %(rows)s) AS n"""


def pause(tenant: TenantRef) -> Cap:
    """Make the pause that holds the paused rows: with any, each claim looks at pauses, too."""
    return set_cap(by="bench", now=datetime.now(UTC), handler="bench.noop", tenant_id=tenant.id)


def fill(tenant: TenantRef, cap: Cap) -> None:
    """Make rows that wait, are due later or are paused, a third each, and as many in the history."""
    later = datetime.now(UTC) + timedelta(days=1)
    with entering(tenant), connection.cursor() as cursor:
        for state, due, cap_id in (
            ("waiting", None, None), ("scheduled", later, None), ("paused", None, cap.pk),
        ):  # fmt: skip
            cursor.execute(
                _FILL,
                {"tenant": tenant.id, "state": state, "due": due, "cap": cap_id,
                 "rows": ROWS // 3, "stream": f"{state}-"},
            )  # fmt: skip
        cursor.execute(_HISTORY, {"rows": ROWS})
        cursor.execute("VACUUM ANALYZE dispatch_pendingdelivery")
        # Or PostgreSQL writes what was filled while claims are measured.
        cursor.execute("CHECKPOINT")


def empty(tenant: TenantRef) -> None:
    """Take away what `fill` made."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE dispatch_pendingdelivery")
    with entering(tenant), connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_delivery WHERE id > 1000000000")
    for cap in Cap.objects.filter(tenant_id=tenant.id):
        remove_cap(cap)
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")


def milliseconds(tenant: TenantRef, *, rounds: int) -> float:
    """Claim batches of 500 of another tenant; give the median in milliseconds."""
    costs = []
    forget_clocks()
    for n in range(rounds):
        with connection.cursor() as cursor:
            cursor.execute(
                _FILL,
                {"tenant": tenant.id, "state": "ready", "due": None, "cap": None, "rows": BATCH,
                 "stream": f"ready-{n}-"},
            )  # fmt: skip
        started = time.perf_counter()
        _, batch = claim("automation", lane=Lane.LIVE, limit=BATCH, lease_for=timedelta(minutes=5))
        costs.append((time.perf_counter() - started) * 1000)
        if len(batch) != BATCH:
            raise RuntimeError(f"claimed {len(batch)} of {BATCH}: the comparison is void")
        PendingDelivery.objects.filter(id__in=[d.id for d in batch]).delete()
    return statistics.median(costs)
