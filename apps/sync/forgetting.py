"""Deleting received bodies in the database itself: as Django's objects, each body would be loaded."""

from datetime import datetime
from uuid import UUID

from django.db import connection

# Plan: reception_expiry up to the limit, then the primary key. Locks what it deletes.
_EXPIRED = """DELETE FROM sync_reception WHERE id = ANY (ARRAY(
SELECT id FROM sync_reception WHERE expires_at <= %s ORDER BY expires_at LIMIT %s))"""

# Plan: reception_connection.
_OF_CONNECTION = "DELETE FROM sync_reception WHERE connection_id = %s"


def forget_expired(*, now: datetime, at_most: int) -> int:
    """Delete the bodies whose time is over, the oldest first; gives how many."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRED, [now, at_most])
        return cursor.rowcount


def forget_of(connection_id: UUID) -> int:
    """Delete all bodies of a connection; gives how many."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_CONNECTION, [connection_id])
        return cursor.rowcount
