"""A publisher made of SQL: events and arrivals as `publish` writes them, so fast that it is never
what limits the engine. It keeps a backlog, or a rate.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg2

from apps.dispatch.doorbells import ROUTE, ring
from apps.tenants.entering import TenantRef

BATCH = 200
"""Events of a tenant in one transaction."""

_EVENTS = """
WITH made AS (
    SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
            || '7' || substr(md5(%(prefix)s || n), 1, 3) || '8' || substr(md5(%(prefix)s || n), 5, 15)
           )::uuid AS uid, %(prefix)s || '-' || n AS name
    FROM generate_series(1, %(count)s) AS n
), stored AS (
    INSERT INTO {schema}.events_event (uid, event_id, source, type, subject, category, priority,
        stream, time, time_was_given, data, extensions, body_hash, recorded_at)
    SELECT uid, name, 'pressure', 'custom.bench', name, 'automation', 3, name, now(), true,
        '{{"n": 1, "unit": "seaview-101"}}', '{{}}', '\\x00', now()
    FROM made RETURNING uid, stream
)
INSERT INTO public.dispatch_arrival (tenant_id, event_uid, type, stream, accepted_at, lane,
    target, include_external)
SELECT %(tenant)s, uid, 'custom.bench', stream, now(), 0, '', true FROM stored"""


class Feeder:
    """Feeds events in a thread of its own until it is stopped. `fed` tells how many so far."""

    def __init__(
        self, url: str, tenants: Sequence[TenantRef], *, prefix: str, served: int = 0
    ) -> None:
        self._url, self._tenants, self._prefix = url, list(tenants), prefix
        self._lock = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self.fed = served
        self.served = served
        """What is done, as whoever watches says it; what is fed and not served is the backlog."""

    def keep_backlog(self, count: int) -> None:
        """Feed whenever fewer than `count` events are unfinished."""
        self._run(lambda: self.fed - self.served < count)

    def keep_rate(self, per_second: float) -> None:
        """Feed so many a second, whatever becomes of them."""
        started, before = time.monotonic(), self.fed
        self._run(lambda: self.fed - before < per_second * (time.monotonic() - started))

    def stop(self) -> None:
        """Feed no more. Raises what went wrong in the thread."""
        self._lock.set()
        if self._thread is not None:
            self._thread.join()
        self._thread = None
        if self._error is not None:
            raise RuntimeError("feeding failed") from self._error

    def _run(self, may_feed) -> None:
        self.stop()
        self._lock.clear()
        self._thread = threading.Thread(target=self._feed, args=(may_feed,), daemon=True)
        self._thread.start()

    def _feed(self, may_feed) -> None:
        try:
            with _connected(self._url) as cursor:
                while not self._lock.is_set():
                    if may_feed():
                        self._feed_once(cursor)
                    else:
                        time.sleep(0.005)
        except psycopg2.Error as error:
            self._error = error

    def _feed_once(self, cursor) -> None:
        for tenant in self._tenants:
            values = {"prefix": f"{self._prefix}-{self.fed}", "count": BATCH, "tenant": tenant.id}
            cursor.execute(_EVENTS.format(schema=tenant.schema_name), values)
            self.fed += BATCH
        ring(ROUTE)


@contextmanager
def _connected(url: str) -> Iterator:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()
