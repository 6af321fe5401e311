"""What other people do to a database while the queue works in it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ


@contextmanager
def old_snapshot(url: str) -> Iterator[None]:
    """A report that keeps its snapshot: vacuum may remove nothing that died since."""
    connection = psycopg2.connect(url)
    connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM dispatch_pendingdelivery")
            yield
    finally:
        connection.close()


@contextmanager
def idle_in_transaction(url: str, *, sessions: int = 4) -> Iterator[None]:
    """Programs that wrote something and then forgot to commit. Their transaction ids hold vacuum."""
    with ExitStack() as stack:
        for _ in range(sessions):
            connection = psycopg2.connect(url)
            stack.callback(connection.close)
            with connection.cursor() as cursor:
                cursor.execute("SELECT id FROM dispatch_pendingdelivery LIMIT 1")
                cursor.execute("SELECT pg_current_xact_id()")
        yield
