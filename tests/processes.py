"""Real processes for tests: gunicorn and Celery workers on the test's database and broker."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 40.0
_never = threading.Event()


def free_port() -> int:
    """Find a loopback port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(condition: Callable[[], object], *, seconds: float = PATIENCE) -> None:
    """Poll until a condition holds; fails loudly when it does not in time."""
    pause = 0.01
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {seconds} s")
        _never.wait(pause)
        pause = min(0.25, pause * 1.3)


class Process:
    """One started program, in its own process group, with its output kept."""

    def __init__(self, command: Sequence[str], log: Path, **environment: str) -> None:
        self.log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Signal the whole group and wait for its head to end."""
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, how)
        try:
            self.popen.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait(15)

    def text(self) -> str:
        return self.log.read_text(errors="replace")


def _once(process: Process, is_up: Callable[[], bool]) -> Process:
    """Wait until a process is up; one that does not come up is ended, so that none is left behind."""
    try:
        eventually(is_up)
    except BaseException:
        process.kill()
        raise
    return process


def start_web(log: Path, *, port: int, **environment: str) -> Process:
    """Start gunicorn and wait until it answers."""
    command = [
        sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}",
        "--worker-class", "config.web_worker.Worker", "--limit-request-line", "8190",
        "--workers", "1", "--threads", "8", "--log-level", "warning",
    ]  # fmt: skip
    process = Process(command, log, **environment)

    def answers() -> bool:
        if process.popen.poll() is not None:
            raise AssertionError(f"the web process ended: {process.text()[-2000:]}")
        try:
            return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    return _once(process, answers)


def start_worker(
    log: Path, queues: Sequence[str], *, concurrency: int = 1, name: str = "test",
    program: Sequence[str] = ("-m", "tests.stack.celery_with_handlers"), **environment: str,
) -> Process:  # fmt: skip
    """Start a Celery worker on some queues and wait until it is ready."""
    command = [
        sys.executable, *program, "worker", "-Q", ",".join(queues), "-c", str(concurrency),
        "-n", f"{name}@%h", "--without-gossip", "--without-mingle", "--without-heartbeat",
    ]  # fmt: skip
    before = len(log.read_text(errors="replace")) if log.exists() else 0
    process = Process(command, log, **environment)

    def ready() -> bool:
        if process.popen.poll() is not None:
            raise AssertionError(f"the worker ended: {process.text()[-2000:]}")
        return "the worker is ready" in process.text()[before:]

    return _once(process, ready)
