"""P8: does one category, or one tenant, suffer from another?

The processes are those of the Procfile. Waits are from a POST until its handler's work is committed.
"""

import os
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import requests
from django.db import connection

from apps.dispatch.models import Arrival, PendingDelivery
from apps.tenants.entering import TenantRef, entering
from apps.tenants.keys import create_key
from apps.tenants.models import Tenant
from benchmarks import bookings, latency, noop, stack
from config.servers import free_port
from config.supervisor import read_procfile
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many

HANGING = int(os.environ.get("BENCH_HANGING", "100000"))
DUMPED = int(os.environ.get("BENCH_DUMPED", "100000"))
SAMPLES = 100
_PROCESSES = ("web", "router", "bookings", "messaging", "automation", "beat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The 95th percentile of waits in milliseconds, on an idle system and under the load of others."""

    idle: float
    loaded: float


@contextmanager
def system() -> Iterator[str]:
    """Run the product's processes with the handlers of the benchmarks; gives the base URL."""
    port = free_port()
    procfile = read_procfile(stack.ROOT / "Procfile")
    commands = {name: _ours(procfile[name]) for name in _PROCESSES}
    with (
        _silent_partner() as url,
        stack.running(commands, PORT=str(port), **{noop.SILENT_URL: url}),
    ):
        base_url = f"http://127.0.0.1:{port}"
        stack.wait_until(lambda: is_answering(base_url))
        yield base_url
    with connection.cursor() as cursor:  # what bookings led to, which nobody works here
        cursor.execute("TRUNCATE dispatch_arrival, dispatch_pendingdelivery")


def is_answering(base_url: str) -> bool:
    try:
        return requests.get(f"{base_url}/healthz", timeout=2).ok
    except requests.RequestException:
        return False


def bookings_beside_hanging(base_url: str, tenants: list[TenantRef], *, run: int) -> Waits:
    """Bookings, while messaging is full of deliveries whose partner does not answer."""
    key, tenant = _key(tenants[0]), tenants[0]
    latency.milliseconds(base_url, key, tenant, _bookings(f"w{run}", 5, year=2100 + run))
    idle = latency.milliseconds(
        base_url, key, tenant, _bookings(f"i{run}", SAMPLES, year=2200 + run)
    )
    each = HANGING // len(tenants)
    for other in tenants:
        with entering(other):
            for start in range(0, each, 500):
                publish_many(
                    [
                        Envelope(
                            id=f"h{run}-{n}", source="bench", type="custom.hang", data={"n": n}
                        )
                        for n in range(start, min(start + 500, each))
                    ]
                )
    stack.wait_until(lambda: not Arrival.objects.exists(), seconds=300)
    loaded = latency.milliseconds(
        base_url, key, tenant, _bookings(f"l{run}", SAMPLES, year=2300 + run)
    )
    left = PendingDelivery.objects.filter(handler="bench.hang").count()
    if left < 0.9 * each * len(tenants):
        raise RuntimeError(f"only {left} deliveries still hang: the comparison is void")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM dispatch_pendingdelivery WHERE handler = 'bench.hang'")
    return Waits(idle=_p95(idle), loaded=_p95(loaded))


def tenant_beside_dump(base_url: str, tenants: list[TenantRef], *, run: int) -> Waits:
    """One tenant's events, while another sends a hundred thousand of the same type."""
    key, tenant = _key(tenants[0]), tenants[0]
    latency.milliseconds(base_url, key, tenant, latency.plain(f"warm{run}", 5))
    idle = latency.milliseconds(base_url, key, tenant, latency.plain(f"calm{run}", SAMPLES))
    loaded: list[float] = []
    dump = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.dump", base_url, _key(tenants[1 + run]), str(DUMPED)],
        cwd=stack.ROOT,
    )
    try:
        while (
            dump.poll() is None
            or PendingDelivery.objects.filter(tenant_id=tenants[1 + run].id).exists()
        ):
            loaded += latency.milliseconds(
                base_url, key, tenant, latency.plain(f"busy{run}-{len(loaded)}", 5)
            )
    finally:
        dump.kill()
    if dump.wait() != 0 or len(loaded) < SAMPLES // 3:
        raise RuntimeError(f"dump ended with {dump.returncode} after {len(loaded)} samples: void")
    return Waits(idle=_p95(idle), loaded=_p95(loaded))


def _ours(command: str) -> str:
    program, rest = command.split(" ", 1)
    module = "benchmarks.celery" if program == "celery" else program
    return f"{sys.executable} -m {module} {rest}"


@contextmanager
def _silent_partner() -> Iterator[str]:
    """Connections are made by the kernel and never answered: nobody accepts them."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def _bookings(prefix: str, count: int, *, year: int) -> list[dict[str, Any]]:
    return [
        {"id": e.id, "source": e.source, "type": e.type, "subject": e.subject, "data": e.data}
        for e in bookings.bookings(prefix, count, first=date(year, 1, 1))
    ]


def _key(tenant: TenantRef) -> str:
    return create_key(Tenant.objects.get(id=tenant.id), name="bench").text


def _p95(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=20)[-1]
