"""An end for a whole request: a receiver that drips bytes must not hold a thread.

A socket's timeout starts anew with each byte that comes, also while headers are read, so a timer
shuts the connection down at the deadline. It holds a duplicate of the socket: TLS takes the first
one over, and a number that was closed meanwhile may belong to somebody else.
"""

import socket
import threading
import time
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from urllib3.connection import HTTPConnection, HTTPSConnection


class Deadline:
    """The moment at which a request is cut off. Use it as a context manager around the request."""

    def __init__(self, after: timedelta) -> None:
        self.after = after
        self._at = time.monotonic() + after.total_seconds()
        self._timers: list[tuple[threading.Timer, socket.socket]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        for timer, handle in self._timers:
            timer.cancel()
            timer.join()
            handle.close()

    def has_passed(self) -> bool:
        return time.monotonic() >= self._at

    def remaining(self) -> float:
        """Seconds until the deadline, a moment at least: 0 means no timeout to a socket."""
        return max(0.001, self._at - time.monotonic())

    def watch(self, connected: socket.socket) -> None:
        """Shut this connection down at the deadline, whatever it is doing then."""
        handle = connected.dup()
        timer = threading.Timer(self.remaining(), _shut_down, [handle])
        timer.daemon = True
        self._timers.append((timer, handle))
        timer.start()


def _shut_down(handle: socket.socket) -> None:
    with suppress(OSError):  # the receiver closed it first
        handle.shutdown(socket.SHUT_RDWR)


class _Watched:
    """A mixin for urllib3's connections: watched from the moment they are open, TLS included."""

    def __init__(self, *args: Any, deadline: Deadline, **options: Any) -> None:
        self._deadline = deadline
        super().__init__(*args, **options)

    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]
        self._deadline.watch(connected)
        return connected


class WatchedHttpConnection(_Watched, HTTPConnection):
    """HTTP with an end."""


class WatchedHttpsConnection(_Watched, HTTPSConnection):
    """HTTPS with an end."""
