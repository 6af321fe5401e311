"""A small supervisor: runs a Procfile, restarts what dies, ends everything it started.

Each process has a session of its own and is told by the kernel when the supervisor dies, so that
nothing outlives it, whatever ends it.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from config.children import dying_with_us

GRACE_SECONDS = 6.0
_MAX_PAUSE_SECONDS = 10.0
_STEADY_SECONDS = 10.0


def read_procfile(path: Path) -> dict[str, str]:
    """Read `name: command` lines, in their order."""
    commands = {}
    for line in path.read_text().splitlines():
        name, colon, command = line.partition(":")
        if colon and not line.startswith("#"):
            commands[name.strip()] = command.strip()
    return commands


@dataclass(slots=True)
class _Child:
    name: str
    command: str
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    failures: int = 0
    start_at: float = 0.0
    printer: threading.Thread | None = field(default=None, repr=False)


class Supervisor:
    """Runs named shell commands until `stop`; `poll` restarts what has died."""

    def __init__(
        self, commands: Mapping[str, str], environment: Mapping[str, str], *, folder: Path
    ) -> None:
        self._children = [_Child(name, command) for name, command in commands.items()]
        self._environment = dict(environment)
        self._folder = folder
        self._width = max((len(name) for name in commands), default=0)

    def start(self) -> None:
        """Start every process."""
        for child in self._children:
            self._start(child)

    def pid_of(self, name: str) -> int:
        """The id of a process, which is also that of its group. Raises: KeyError."""
        for child in self._children:
            if child.name == name and child.process is not None:
                return child.process.pid
        raise KeyError(name)

    def poll(self) -> None:
        """Start again what has died; at growing intervals when it keeps dying."""
        now = time.monotonic()
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                code = child.process.returncode
                _kill_group(child.process.pid, signal.SIGKILL)  # what it may have left behind
                steady = now - child.started > _STEADY_SECONDS
                child.failures = 0 if steady else child.failures + 1
                pause = min(_MAX_PAUSE_SECONDS, 0.5 * 2**child.failures)
                self._say(child.name, f"ended with {code}; starts again in {pause:g} s")
                child.process, child.start_at = None, now + pause
            if child.process is None and now >= child.start_at:
                self._start(child)

    def stop(self) -> None:
        """End every process: politely, after the grace by force."""
        running = [c.process for c in self._children if c.process is not None]
        for process in running:
            # The head alone: a Celery worker lets its children finish what they hold.
            if process.poll() is None:
                process.terminate()
        end = time.monotonic() + GRACE_SECONDS
        for process in running:
            try:
                process.wait(max(0.05, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say("supervisor", f"process {process.pid} did not end; killing it")
        for process in running:
            _kill_group(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, child: _Child) -> None:
        child.process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {child.command}"],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            # The quick end of Celery and gunicorn: nobody is left to end politely for.
            preexec_fn=dying_with_us(signal.SIGQUIT),
        )
        child.started = time.monotonic()
        assert child.process.stdout is not None
        child.printer = threading.Thread(
            target=self._print, args=(child.name, child.process.stdout), daemon=True
        )
        child.printer.start()

    def _print(self, name: str, lines: IO[str]) -> None:
        for line in lines:
            self._say(name, line.rstrip())

    def _say(self, name: str, text: str) -> None:
        print(f"{name:<{self._width}} | {text}", file=sys.stderr, flush=True)


def _kill_group(pid: int, how: signal.Signals) -> None:
    try:
        os.killpg(pid, how)
    except ProcessLookupError:
        return  # the group has ended already, which is what was wanted
