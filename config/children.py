"""Programs that run as our children and do not outlive us, whatever ends us."""

import ctypes
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_prctl: Callable[..., int] | None = getattr(ctypes.CDLL(None), "prctl", None)


class ServerError(RuntimeError):
    """A server did not start or ended; the message says which, why, and where its log is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that we started. `url` is its address, `stop` ends it; its data stays."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    log: Path
    stop: Callable[[], None]

    def check(self) -> None:
        """Raises: ServerError when it has ended by itself."""
        if (code := self.process.poll()) is not None:
            raise ServerError(f"{self.name} ended by itself (with {code}; its log: {self.log})")


def dying_with_us(how: signal.Signals) -> Callable[[], None]:
    """Give a `preexec_fn` that has the kernel signal the child when we die, even by SIGKILL.

    The kernel watches the thread that starts the child, so start it from the main thread. Linux
    only; elsewhere nothing happens.
    """

    def ask_kernel() -> None:
        if _prctl is not None:
            _prctl(_PR_SET_PDEATHSIG, how)

    return ask_kernel


def end(process: subprocess.Popen[bytes], steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send one signal after the other, each with its patience in seconds, then SIGKILL."""
    for how, patience in steps:
        if process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        process.kill()
        process.wait()
