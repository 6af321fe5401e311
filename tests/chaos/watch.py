"""Watching a run: how much is settled, and when what was accepted before a fault was worked off."""

import bisect
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg2

BESIDE = 6.0
_SETTLED = "SELECT COALESCE(sum(done + dead + discarded + superseded), 0) FROM dispatch_progress"
# What has not failed yet and may run: the age of a retry says nothing about recovery.
_OLDEST = """SELECT extract(epoch FROM now() - LEAST(
    (SELECT min(accepted_at) FROM dispatch_arrival),
    (SELECT min(accepted_at) FROM dispatch_pendingdelivery
     WHERE failures = 0 AND state IN ('ready', 'running'))))"""
_LEFT = """SELECT (SELECT count(*) FROM dispatch_arrival),
    (SELECT count(*) FROM dispatch_pendingdelivery)"""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault: when it was done, and after how many seconds nothing from before it was waiting.

    settling_after: seconds until the next delivery was settled; rates: of the `BESIDE` seconds
    before and after.
    """

    kind: str
    at: float
    recovered_after: float | None = None
    settling_after: float | None = None
    rate_before: float = 0.0
    rate_after: float = 0.0


class Watch(threading.Thread):
    """Samples the tables until told to stop; goes on when the database is away."""

    def __init__(self, database_url: str) -> None:
        super().__init__(daemon=True)
        self._url = database_url
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._open: list[Fault] = []
        self.samples: list[tuple[float, int]] = []
        self.left: tuple[int, int] = (-1, -1)

    def note(self, fault: Fault) -> None:
        with self._lock:
            self._open.append(fault)

    def end(self) -> None:
        self._ended.set()
        self.join(20)

    def rate(self, since: float, until: float) -> float:
        """Settled deliveries a second between two monotonic times."""
        return (self._settled(until) - self._settled(since)) / (until - since)

    def _settled(self, at: float) -> int:
        """How many were settled then, as far as the last look could tell."""
        known = bisect.bisect_right(self.samples, at, key=lambda sample: sample[0])
        return self.samples[known - 1][1] if known else 0

    def measure(self, faults: Sequence[Fault]) -> None:
        """Fill in what the samples say about each fault, after the end."""
        for fault in faults:
            fault.rate_before = self.rate(fault.at - BESIDE, fault.at)
            fault.rate_after = self.rate(fault.at, fault.at + BESIDE)
            had = self._settled(fault.at)
            later = (at for at, settled in self.samples if at > fault.at and settled > had)
            fault.settling_after = next((at - fault.at for at in later), None)

    def run(self) -> None:
        connection = None
        while not self._ended.wait(0.25):
            try:
                if connection is None:
                    connection = psycopg2.connect(self._url, connect_timeout=5)
                    connection.autocommit = True
                self._look(connection)
            except psycopg2.Error:
                connection = None

    def _look(self, connection: "psycopg2.extensions.connection") -> None:
        with connection.cursor() as cursor:
            now = time.monotonic()
            cursor.execute(_SETTLED)
            self.samples.append((now, int(cursor.fetchone()[0])))
            cursor.execute(_OLDEST)
            oldest = cursor.fetchone()[0]
            cursor.execute(_LEFT)
            self.left = cursor.fetchone()
        with self._lock:
            for fault in list(self._open):
                if oldest is None or now - float(oldest) > fault.at:
                    fault.recovered_after = now - fault.at
                    self._open.remove(fault)
