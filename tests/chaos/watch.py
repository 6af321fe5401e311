"""Watching a run: how much is settled, and when what was accepted before a fault was worked off."""

import threading
import time
from dataclasses import dataclass

import psycopg2

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
    """One fault: when it was done, and after how many seconds nothing from before it was waiting."""

    kind: str
    at: float
    recovered_after: float | None = None


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
        within = [s for s in self.samples if since <= s[0] <= until]
        if len(within) < 2:
            return 0.0
        return (within[-1][1] - within[0][1]) / (within[-1][0] - within[0][0])

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
