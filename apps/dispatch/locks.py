"""Locks of a session: what only one process does at a time, and others leave to it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def trying(number: int) -> Iterator[bool]:
    """Take an advisory lock for the block; False, at once, when another session has it.

    A connection that broke in the block has let go of it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours and not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
