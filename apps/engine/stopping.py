"""Being told to stop: a worker gives back what it has claimed and not started.

Celery tells its head alone, which then waits for its children; platforms tell every process. Both
arrive here: the flag lies in memory that the head shares with the children it forks, and a child that
is told by itself in the middle of a batch ends after what it has begun.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_bool
from multiprocessing.sharedctypes import RawValue
from types import FrameType
from typing import Any

_everybody: Any = RawValue(c_bool, False)  # made when the head loads it, before it forks
_is_told = False


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
    """Let SIGTERM wait for the block, which gives back what it has not started; then it is heard.

    Set for each block, because Celery's pool sets its own handler after a child has started.
    """
    global _is_told
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _told)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
    if _is_told:
        _is_told = False
        os.kill(os.getpid(), signal.SIGTERM)


def _told(signum: int, frame: FrameType | None) -> None:
    global _is_told
    _is_told = True
