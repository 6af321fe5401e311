"""Our backend: a lost database is an OperationalError, and debug mode keeps no statements."""

import os
from typing import Any

import psycopg2
import pytest
from django.db import DatabaseError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

LOST = "server closed the connection unexpectedly"


@pytest.mark.usefixtures("database")
def test_a_lost_server_that_the_driver_tells_plainly_is_operational() -> None:
    connection.ensure_connection()
    with pytest.raises(OperationalError, match=LOST) as caught, connection.wrap_database_errors:
        raise psycopg2.DatabaseError(LOST)
    assert isinstance(caught.value.__cause__, psycopg2.DatabaseError)
    assert connection.errors_occurred  # Django looks whether the connection is still good


@pytest.mark.usefixtures("database")
def test_an_error_that_the_server_tells_stays_what_it_is() -> None:
    with pytest.raises(DatabaseError, match="not yours") as caught, connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'not yours' USING ERRCODE = 'ZZ001'; END $$")
    assert type(caught.value) is DatabaseError


@pytest.mark.usefixtures("database")
def test_a_backend_that_was_ended_is_operational_and_the_next_connection_works() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with psycopg2.connect(os.environ["DATABASE_URL"]) as other, other.cursor() as killer:
        killer.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


@pytest.mark.usefixtures("database")
def test_debug_mode_keeps_no_statements_unless_somebody_asks(settings: Any) -> None:
    settings.DEBUG = True
    connection.queries_log.clear()  # another test may have asked
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert not connection.queries_log
    with CaptureQueriesContext(connection) as captured, connection.cursor() as cursor:
        cursor.execute("SELECT 2")
    assert [query["sql"] for query in captured] == ["SELECT 2"]
