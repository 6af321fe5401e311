"""Two things at once, step by step: each side runs in a thread on a database connection of its own.

A side stops before or after a statement that it names, or before its commit, and goes on when told
to; or it is waited for until PostgreSQL itself makes it wait for another.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

from django.db import connection, transaction

from tests.processes import PATIENCE, eventually


class Side:
    """One of two at once. `result()` gives what it gave, or raises what it raised."""

    def __init__(
        self, act: Callable[[], Any], *, before: str = "", after: str = "", holds: bool = False
    ) -> None:
        self._act, self._before, self._after, self._holds = act, before, after, holds
        self._has_stopped, self._may_go, self._is_open = (threading.Event() for _ in range(3))
        self._given: Any = None
        self._error: BaseException | None = None
        self._pid = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._is_open.wait(PATIENCE)

    def wait_until_stopped(self) -> None:
        """Wait until it stands at its stop."""
        eventually(lambda: self.has_stopped or self.has_ended)
        if not self.has_stopped:
            raise AssertionError("the side ended without coming to its stop") from self._error

    def wait_until_blocked(self) -> None:
        """Wait until PostgreSQL makes it wait for another's lock."""
        eventually(lambda: self.is_blocked or self.has_ended)
        if self.has_ended:
            raise AssertionError("the side ended and waited for nobody") from self._error

    @property
    def is_blocked(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [self._pid])
            return bool(cursor.fetchone()[0])

    @property
    def has_stopped(self) -> bool:
        return self._has_stopped.is_set()

    @property
    def has_ended(self) -> bool:
        return not self._thread.is_alive()

    def go(self) -> None:
        """Let it go on past its stop."""
        self._may_go.set()

    def result(self) -> Any:
        """Let it go on to its end. Raises: whatever it raised."""
        self.go()
        self._thread.join(PATIENCE)
        assert self.has_ended, "the side does not end: it waits for somebody"
        if self._error is not None:
            raise self._error
        return self._given

    def _run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self._pid = cursor.fetchone()[0]
            self._is_open.set()
            with connection.execute_wrapper(self._at_statement):
                with transaction.atomic() if self._holds else nullcontext():
                    self._given = self._act()
                    if self._holds:
                        self._stop()
        except BaseException as error:  # noqa: BLE001 - told to the test by result()
            self._error = error
        finally:
            self._is_open.set()
            connection.close()

    def _at_statement(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        if self._before and self._before in str(sql):
            self._stop()
        given = execute(sql, params, many, context)
        if self._after and self._after in str(sql):
            self._stop()
        return given

    def _stop(self) -> None:
        if not self._has_stopped.is_set():
            self._has_stopped.set()
            assert self._may_go.wait(2 * PATIENCE), "nobody let the side go on"


Sides = Callable[..., Side]
"""A maker of sides; the arguments are those of `Side`."""


@contextmanager
def sides() -> Iterator[Sides]:
    """Give a maker of sides: `side(act, before="…")`; none of them outlives the block."""
    with ExitStack() as stack:

        def make(act: Callable[[], Any], **options: Any) -> Side:
            side = Side(act, **options)
            stack.callback(side._thread.join, PATIENCE)
            stack.callback(side.go)
            return side

        yield make
