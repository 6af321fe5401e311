"""Being told to stop: a worker gives back what it has claimed and not started.

Celery tells its head alone, which then waits for its children; platforms tell every process. Both
arrive here: the flag lies in memory that the head shares with the children it forks, and a child that
is told by itself ends at once when it is idle, and else after what it has begun.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_bool
from multiprocessing.sharedctypes import RawValue
from types import FrameType
from typing import Any

_everybody: Any = RawValue(c_bool, False)  # made when the head loads it, before it forks
_is_told = False
_is_busy = False


def is_stopping() -> bool:
    """Tell whether this process, or its whole worker, was told to stop."""
    return _is_told or bool(_everybody.value)


def stop_everybody() -> None:
    """Make every process of this worker give back what it has not started."""
    _everybody.value = True


def go_on() -> None:
    """Take it back: a worker begins (in tests, in a process that had one before)."""
    global _is_told
    _is_told = _everybody.value = False


@contextmanager
def busy() -> Iterator[None]:
    """Hold being told back until the block has ended; then this process ends, if it was told."""
    global _is_busy
    _is_busy = True
    try:
        yield
    finally:
        _is_busy = False
    if _is_told:
        raise SystemExit(0)


def listen() -> None:
    """Let SIGTERM stop this child gently. Call it in a child of the worker, once it has started."""
    signal.signal(signal.SIGTERM, _told)


def _told(signum: int, frame: FrameType | None) -> None:
    global _is_told
    _is_told = True
    if not _is_busy:
        raise SystemExit(0)
