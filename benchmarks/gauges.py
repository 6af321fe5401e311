"""What the benchmarks read from a running system: what is done, what it takes, how big it is."""

import time
from collections.abc import Iterable

import psutil
from django.db import connection

HOT_TABLES = ("dispatch_arrival", "dispatch_pendingdelivery", "dispatch_tenantturn")


def served() -> int:
    """Deliveries done so far, from the roll-up: costs nothing, however many there are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(sum(done), 0) FROM dispatch_progress")
        return int(cursor.fetchone()[0])


def is_idle() -> bool:
    """Nothing waits for the router and nothing is pending."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM dispatch_arrival)"
            " AND NOT EXISTS (SELECT FROM dispatch_pendingdelivery)"
        )
        return bool(cursor.fetchone()[0])


def megabytes() -> dict[str, float]:
    """The hot tables with their indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, pg_total_relation_size(name::regclass) / 1048576.0 FROM unnest(%s) AS name",
            [list(HOT_TABLES)],
        )
        return {name: round(float(size), 1) for name, size in cursor.fetchall()}


def family(pid: int) -> list[psutil.Process]:
    """All processes below this one, at the moment."""
    return psutil.Process(pid).children(recursive=True)


def cpu_percent(processes: Iterable[psutil.Process], *, seconds: float) -> float:
    """CPU time of processes over a while, in percent of one core."""
    processes = list(processes)
    before, started = _cpu_seconds(processes), time.monotonic()
    time.sleep(seconds)
    after, took = _cpu_seconds(processes), time.monotonic() - started
    return 100 * sum(after[pid] - before[pid] for pid in after if pid in before) / took


def _cpu_seconds(processes: Iterable[psutil.Process]) -> dict[int, float]:
    found = {}
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it ended by itself; what it used until then is left out
        found[process.pid] = times.user + times.system
    return found
