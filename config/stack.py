"""A whole stack in a folder: servers, schemas, tenants, processes. `make run` and the demo use it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import requests

from config.servers import ServerError, Servers, start_servers
from config.supervisor import Supervisor, read_procfile

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 80


class StackError(RuntimeError):
    """The stack cannot start; the message is one line that says why and what to do."""


@dataclass(slots=True, kw_only=True)
class Stack:
    """A running stack. `environment` is what its processes see."""

    servers: Servers
    environment: dict[str, str]
    base_url: str
    supervisor: Supervisor | None = None

    def manage(self, *arguments: str) -> str:
        """Run a management command; gives its output. Raises: StackError with its last line."""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
            raise StackError(f"manage.py {arguments[0]} failed: {lines[-1]}")
        return done.stdout

    def start_processes(self, *, check: Callable[[], None] = lambda: None) -> None:
        """Start what the Procfile names and wait until the product is ready.

        `check` is called while waiting: it may raise to end that.
        """
        self.supervisor = Supervisor(
            read_procfile(ROOT / "Procfile"), self.environment, folder=ROOT
        )
        self.supervisor.start()
        end = time.monotonic() + READY_SECONDS
        while (missing := self.what_is_missing()) is not None:
            if time.monotonic() > end:
                raise StackError(
                    f"{self.base_url}/readyz is not ready after {READY_SECONDS} s: {missing}"
                )
            check()
            self.check_servers()
            self.supervisor.poll()
            time.sleep(0.1)

    def what_is_missing(self) -> str | None:
        """Say why the product is not ready; None when it is."""
        try:
            answer = requests.get(f"{self.base_url}/readyz", timeout=5)
        except requests.RequestException as error:
            return f"no answer ({type(error).__name__})"
        return None if answer.status_code == 200 else answer.text

    def check_servers(self) -> None:
        """Raises: StackError when a server that was started here has ended by itself."""
        try:
            self.servers.check()
        except ServerError as error:
            raise StackError(f"{error}; start again: the data is there") from error

    def stop(self) -> None:
        """End everything that was started; the data stays."""
        if self.supervisor is not None:
            self.supervisor.stop()
        self.servers.stop()


def open_stack(folder: Path, *, port: int, given: Mapping[str, str]) -> Stack:
    """Start the servers that are not given and bring the schemas up to date.

    Raises: StackError; nothing is left running then.
    """
    check_folder(folder)
    check_port(port)
    try:
        servers = start_servers(
            folder,
            database_url=given.get("DATABASE_URL"),
            broker_url=given.get("CELERY_BROKER_URL"),
        )
    except ServerError as error:
        raise StackError(str(error)) from error
    environment = {
        **given,
        "DATABASE_URL": servers.database_url,
        "CELERY_BROKER_URL": servers.broker_url,
        "PMS_VAR_DIR": str(folder),
        "PORT": str(port),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{given.get('PATH', '')}",
        "PYTHONWARNINGS": "ignore",
    }
    environment.setdefault("DJANGO_DEBUG", "1")
    environment.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # A newcomer should see a failing endpoint end before a person in seconds, not in hours.
    environment.setdefault("PMS_WEBHOOK_RETRY_ATTEMPTS", "4")
    environment.setdefault("PMS_WEBHOOK_RETRY_FIRST_SECONDS", "1")
    environment.setdefault("PUBLIC_URL", f"http://{{host}}:{port}")
    stack = Stack(servers=servers, environment=environment, base_url=f"http://127.0.0.1:{port}")
    try:
        check_database(servers.database_url)
    except BaseException:
        stack.stop()
        raise
    return stack


def check_folder(folder: Path) -> None:
    """Raises: StackError unless files can be written in the folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise StackError(
            f"cannot write in {folder} ({error.strerror}): make it writable or set PMS_VAR_DIR"
        ) from error


def check_port(port: int) -> None:
    """Raises: StackError when something listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StackError(
                f"port {port} cannot be used ({error.strerror}): set PORT to a free one"
            ) from error


def check_database(url: str) -> None:
    """Raises: StackError when the database refuses."""
    try:
        psycopg2.connect(url, connect_timeout=5).close()
    except psycopg2.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise StackError(f"the database refuses: {reason}; check DATABASE_URL") from error
