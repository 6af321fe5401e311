"""The stack of a chaos run: servers, tenants, and real processes that are started again when they die."""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil

from config.children import ServerError
from config.postgres import start_postgres
from config.servers import free_port
from config.stack import ROOT, Stack
from config.supervisor import Supervisor
from tests.chaos.handlers import RECEIVER
from tests.stack.brokers import QUEUES, Broker, start_broker

LEASE_SECONDS = 20.5
"""A little longer than the longest handler may take; the shortest that the start-up checks allow."""

TENANTS = ("acme", "harbor", "pine")
WORKERS = ("work1", "work2")
_CELERY = "{python} -m tests.chaos.handlers -q"
_PLATFORM = (
    "from apps.tenants.provisioning import ensure_platform; ensure_platform(hosts=['127.0.0.1'])"
)
_QUIET = "--without-gossip --without-mingle --without-heartbeat --loglevel WARNING"


class ChaosStack:
    """Everything that may be broken. Start and stop it from the main thread."""

    def __init__(self, *, broker: str, receiver: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pms-chaos-"))
        self._data = self.folder / "pg"
        self._postgres = start_postgres(self._data)
        self.database_url = self._postgres.url
        self.broker: Broker = start_broker(broker, self.folder)
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "CELERY_BROKER_URL": self.broker.url,
            "CACHE_URL": "",
            "DJANGO_DEBUG": "1",
            "PMS_VAR_DIR": str(self.folder),
            "PMS_LEASE_SECONDS": str(LEASE_SECONDS),
            "PMS_LOG_LEVEL": "WARNING",
            "PYTHONWARNINGS": "ignore",
            RECEIVER: receiver,
        }
        self.keys: dict[str, str] = {}
        self.supervisor = Supervisor(self._commands(), self.environment, folder=ROOT)

    def start(self, *, prepare: Callable[["ChaosStack"], None]) -> None:
        """Make schemas and tenants, then start the processes."""
        self.manage("migrate_schemas", "--shared")
        self.manage("shell", "-c", _PLATFORM)
        for name in TENANTS:
            self.manage("create_tenant", name, "--host", f"{name}.localhost")
        prepare(self)
        self.supervisor.start()

    def manage(self, *arguments: str) -> str:
        """Run a management command; gives its output. Raises: StackError with its last line."""
        return Stack(
            servers=None,  # type: ignore[arg-type]
            environment=self.environment,
            base_url=self.base_url,
        ).manage(*arguments)

    def restart_postgres(self) -> None:
        """End PostgreSQL as a power cut would, and start it again from its log."""
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        with contextlib.suppress(psutil.NoSuchProcess):  # it may end before we can wait
            psutil.Process(pid).wait(20)
        self._postgres = start_postgres(self._data)
        if self._postgres.url != self.database_url:
            raise ServerError("PostgreSQL came back under another address")

    def stop(self) -> None:
        """End everything, and remove its data."""
        self.supervisor.stop()
        self.broker.kill()
        self._postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _commands(self) -> dict[str, str]:
        celery = _CELERY.format(python=sys.executable)
        work = ",".join(q for q in QUEUES if q not in ("events.route", "events.sweep"))
        engine = "events.route,events.sweep,events.chores"
        commands = {
            "web": f"{sys.executable} -m gunicorn config.wsgi --bind 127.0.0.1:{self.port} "
            "--worker-class gthread --workers 1 --threads 8 --log-level error",
            "router": f"{celery} worker -Q {engine} -c 2 -n router@%h {_QUIET}",
            "beat": f"{celery} beat --loglevel ERROR --pidfile= -s {self.folder}/beat",
        }
        for name in WORKERS:
            commands[name] = f"{celery} worker -Q {work} -c 2 -n {name}@%h {_QUIET}"
        return commands
