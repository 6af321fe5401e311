"""The advisory locks of the engine: what only one process does at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum, unique

from django.db import connection, transaction


@unique
class Lock(IntEnum):
    """The numbers, all in one place so that no two are the same. They are arbitrary."""

    WRITER = 0x504D5301
    """Of whoever adds to streams: the router, or a redrive."""
    SWEEP = 0x504D5302
    CLAIM_WITHIN_LIMITS = 0x504D5303
    ROUND = 0x504D5304


@contextmanager
def trying(lock: Lock) -> Iterator[bool]:
    """Take a lock for the block, for the session; False, at once, when another has it.

    A connection that broke in the block has let go of it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [int(lock)])
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours and not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [int(lock)])


def wait_for(lock: Lock) -> None:
    """Wait until nobody has a lock, and keep others from it until the transaction ends."""
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(lock)])
