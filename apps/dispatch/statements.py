"""The hot SQL: one file each under an app's `sql/`, read once, run with named parameters."""

from collections.abc import Mapping, Sequence
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

from django.db import connection
from psycopg2.extras import execute_values, register_uuid

_APPS = Path(__file__).parent.parent
register_uuid()


@cache
def statement(name: str) -> str:
    """Read `sql/<name>.sql` of this app, or of another as `<app>/<name>`, without its comments.

    A % in a comment would be taken for a parameter.
    """
    app, _, file = name.rpartition("/")
    path = _APPS / (app or "dispatch") / "sql" / f"{file}.sql"
    lines = path.read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


def fetch(name: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement and give its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement(name), written(parameters))
        return cursor.fetchall()


def execute(name: str, parameters: Mapping[str, Any]) -> int:
    """Run a statement and give the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement(name), written(parameters))
        return int(cursor.rowcount)


def written(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Write each list as one array literal: PostgreSQL parses one constant then, not one a value."""
    return {
        name: _array(value) if isinstance(value, list) else value
        for name, value in parameters.items()
    }


def insert_values(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run `INSERT … VALUES %s` for many rows in one statement a thousand rows.

    It goes past Django's cursor, so its errors are made Django's here, as those of the others are.
    """
    with connection.cursor() as cursor, connection.wrap_database_errors:
        execute_values(cursor.cursor, sql, rows, page_size=1000)


def copy_rows(name: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run a `COPY … FROM STDIN`: many rows at a third of what an INSERT of values costs.

    A field is None, bool, int, float, UUID, datetime, str, or a list of str. Its errors are made
    Django's, as those of the others are.
    """
    lines = "".join("\t".join(map(_field, row)) + "\n" for row in rows)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.cursor.copy_expert(statement(name), StringIO(lines))


def _field(value: Any) -> str:
    """Write a value as COPY's text format has it."""
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return _escaped(value)
    if isinstance(value, list):
        return _escaped(_array(value))
    return str(value)


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _array(values: list[Any]) -> str:
    """Write a list of fields, as `copy_rows` takes them, as an array literal."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
