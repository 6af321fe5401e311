"""Ctrl-C and SIGTERM as an exception that cannot get lost."""

import signal
from types import FrameType


class Ended(Exception):
    """Somebody asked us to stop."""


class Ending:
    """Whether we were asked to stop.

    The signal interrupts what waits, by an exception. Python swallows that one when the signal
    arrives in a hook of its own, such as those around a fork; so loops call `check` as well.
    """

    def __init__(self) -> None:
        self._is_asked = False

    def listen(self) -> None:
        """Take over both signals. Later ones do nothing: an end must not be left half done."""
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def check(self) -> None:
        """Raises: Ended when we were asked to stop."""
        if self._is_asked:
            raise Ended

    def ignore(self) -> None:
        """From now on nothing interrupts us."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _ask(self, signum: int, frame: FrameType | None) -> None:
        if not self._is_asked:
            self._is_asked = True
            raise Ended
