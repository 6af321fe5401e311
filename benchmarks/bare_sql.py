"""P2's yardstick: the same rows written, moved and removed by plain SQL, with nothing around it."""

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.db import transaction

from apps.dispatch.statements import copy_rows, fetch
from apps.tenants.entering import TenantRef, entering
from pms_events.identifiers import new_uid

BATCH = 500


def events_per_second(tenants: list[TenantRef], *, each: int, run: int) -> float:
    """Do it for `each` events a tenant, one connection, in batches; give events a second."""
    data = json.dumps({"n": 1, "unit": "seaview-101", "note": "a payload of a usual size" * 4})
    digest = hashlib.sha256(b"").digest()
    started = time.perf_counter()
    for start in range(0, each, BATCH):
        for tenant in tenants:
            size = min(BATCH, each - start)
            _one_batch(tenant, range(start, start + size), f"b{run}", data, digest)
    return each * len(tenants) / (time.perf_counter() - started)


def _one_batch(tenant: TenantRef, numbers: range, prefix: str, data: str, digest: bytes) -> None:
    now = datetime.now(UTC)
    ids = [(new_uid(), f"{prefix}-{n}") for n in numbers]
    names = [name for _, name in ids]
    with entering(tenant):
        with transaction.atomic():
            fetch(
                "events/store",
                {
                    "uid": [uid for uid, _ in ids],
                    "event_id": names,
                    "source": ["bare"] * len(ids),
                    "type": ["custom.bench"] * len(ids),
                    "subject": names,
                    "category": ["automation"] * len(ids),
                    "priority": [3] * len(ids),
                    "stream": names,
                    "time": [now] * len(ids),
                    "time_was_given": [True] * len(ids),
                    "data": [data] * len(ids),
                    "extensions": ["{}"] * len(ids),
                    "body_hash": [digest.hex()] * len(ids),
                    "tenant_id": tenant.id, "now": now, "causation": None, "lane": 0,
                    "handlers": None, "target": "", "include_external": True, "place": None,
                },
            )  # fmt: skip
        with transaction.atomic():
            fetch("take_arrivals", {"limit": BATCH, "since": 0})
            copy_rows(
                "add_pending",
                [
                    (tenant.id, uid, "bench.noop", "", name, "bare", 3, 0, "ready", n / 20, now,
                     True, None, None, 0, 0, 0, False, False)
                    for n, (uid, name) in enumerate(ids)
                ],
            )  # fmt: skip
        lease = uuid4()
        claimed = fetch(
            "claim",
            {"category": "bare", "lane": 0, "limit": BATCH, "lease": lease,
             "lease_for": timedelta(seconds=60), "since": float("-inf"), "handlers": [""]},
        )  # fmt: skip
        with transaction.atomic():
            fetch(
                "events/finish",
                {
                    "ids": [row[0] for row in claimed],
                    "states": ["done"] * len(claimed),
                    "started": [now] * len(claimed),
                    "finished": [now] * len(claimed),
                    "notes": [""] * len(claimed),
                    "lease": lease,
                },
            )
