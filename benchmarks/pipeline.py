"""P1: publish → route → no-op handler → settled, in bulk, with real worker processes."""

import time

from django.db import connection

from apps.dispatch.models import Arrival, PendingDelivery
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many

BATCH = 500
_LIMIT_SECONDS = 300


def events_per_second(tenants: list[TenantRef], *, each: int, run: int) -> float:
    """Publish `each` events a tenant, wait until all are settled, give events a second.

    Raises: TimeoutError.
    """
    envelopes = {
        tenant.id: [
            Envelope(
                id=f"{run}-{n}", source="bench", type="custom.bench", subject=f"s{run}-{n}",
                data={"n": n, "unit": "seaview-101", "note": "a payload of a usual size" * 4},
            )
            for n in range(each)
        ]
        for tenant in tenants
    }  # fmt: skip
    started = time.perf_counter()
    for start in range(0, each, BATCH):
        for tenant in tenants:
            with entering(tenant):
                publish_many(envelopes[tenant.id][start : start + BATCH])
    while Arrival.objects.exists() or PendingDelivery.objects.exists():
        if time.perf_counter() - started > _LIMIT_SECONDS:
            raise TimeoutError(f"events were not settled within {_LIMIT_SECONDS} s")
        time.sleep(0.01)
    return each * len(tenants) / (time.perf_counter() - started)


def count_done(tenants: list[TenantRef]) -> int:
    """Count finished deliveries, to be sure that what was measured happened."""
    total = 0
    for tenant in tenants:
        with entering(tenant), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM events_delivery WHERE state = 'done'")
            total += cursor.fetchone()[0]
    return total
