"""Dying at a chosen place: every commit that changes rows is counted, at the driver, and named.

The engine knows nothing of it: the connections of a process that is to die come from here. Just before
a commit all its statements have run, and nothing has happened; just after it everything has, and no
doorbell has rung. A statement outside of a transaction is a commit of its own.
"""

import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2.extensions

_WRITES = re.compile(
    r'(?:COPY|INSERT INTO|DELETE FROM|(?<!FOR )(?<!KEY )(?<!DO )UPDATE)\s+"?(\w+)"?', re.IGNORECASE
)


class Commits:
    """The commits of this process, in order. Dies before or after the one that it was told."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.act = ""
        self.deadly = 0
        self.is_after = False
        self._counts = True
        self._lock = threading.Lock()

    def before(self, tables: set[str]) -> bool:
        """A commit is about to be. Tells whether it counts."""
        with self._lock:
            tables = _named(tables)
            if not self._counts or not tables:
                return False
            self.names.append(f"{self.act}: {' + '.join(sorted(map(_short, tables)))}")
            if len(self.names) == self.deadly and not self.is_after:
                _die()
            return True

    def after(self) -> None:
        """It is durable, and nobody was told of it."""
        if len(self.names) == self.deadly and self.is_after:
            _die()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What the test itself does to the tables does not count."""
        self._counts = False
        try:
            yield
        finally:
            self._counts = True


commits = Commits()


class DyingConnection(psycopg2.extensions.connection):
    """A connection whose commits are counted."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.written: set[str] = set()

    def cursor(self, *args: Any, **options: Any) -> Any:
        options.setdefault("cursor_factory", _Cursor)
        return super().cursor(*args, **options)

    def commit(self) -> None:
        counts = bool(self.written) and commits.before(self.written)
        super().commit()
        self.written = set()
        if counts:
            commits.after()

    def rollback(self) -> None:
        self.written = set()
        super().rollback()


class _Cursor(psycopg2.extensions.cursor):
    def execute(self, query: Any, vars: Any = None) -> None:
        text = query.decode() if isinstance(query, bytes) else str(query)
        tables = set(_WRITES.findall(text))
        if tables and self.connection.autocommit:
            self.connection.autocommit = False
            try:
                self._run(query, vars, tables)
                self.connection.commit()
            finally:
                self.connection.rollback()
                self.connection.autocommit = True
        else:
            self._run(query, vars, tables)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        super().copy_expert(sql, file, size)
        self.connection.written |= set(_WRITES.findall(sql))

    def _run(self, query: Any, vars: Any, tables: set[str]) -> None:
        super().execute(query, vars)
        if self.rowcount > 0:
            self.connection.written |= tables


def _named(tables: set[str]) -> set[str]:
    """Leave out what the clock decides: whether the sweep counts, whether a cause is told anew."""
    if "dispatch_backlogsample" in tables:
        return set()
    named = tables
    if "fallback_deadletter" in tables and "fallback_review" not in tables:
        named = tables - {"events_event", "dispatch_arrival"}
    return named


def _short(table: str) -> str:
    return table.partition("_")[2]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
