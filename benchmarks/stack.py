"""What a benchmark runs on: servers in a temporary folder, tenants, and worker processes."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from config.servers import start_servers
from config.supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent
QUEUES = ["events.route", "events.sweep", "events.chores"]
WORK = ["events.automation", "events.bookings", "events.housekeeping", "events.reporting"]
_WORKER = (
    "{python} -m {program} -q -A {app} worker -Q {queues} -c {processes} -n {name}@%h "
    "--without-gossip --without-mingle --without-heartbeat --loglevel ERROR"
)


@contextmanager
def servers() -> Iterator[None]:
    """Start PostgreSQL and Valkey and point this program's environment at them."""
    folder = Path(tempfile.mkdtemp(prefix="pms-bench-"))
    running = start_servers(folder)
    os.environ.update(
        DATABASE_URL=running.database_url,
        CELERY_BROKER_URL=running.broker_url,
        PMS_VAR_DIR=str(folder),
        DJANGO_DEBUG="1",
        DJANGO_SETTINGS_MODULE="config.settings",
        PMS_LOG_LEVEL="ERROR",
        PYTHONWARNINGS="ignore",
    )
    try:
        yield
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


def worker(
    queues: list[str], *, processes: int, name: str, program: str = "benchmarks.celery",
    app: str = "config",
) -> str:  # fmt: skip
    """Write the command of a Celery worker."""
    return _WORKER.format(
        python=sys.executable, program=program, app=app, queues=",".join(queues),
        processes=processes, name=name,
    )  # fmt: skip


def engine() -> dict[str, str]:
    """Write the commands of a router and of two work processes."""
    return {
        "router": worker(QUEUES, processes=1, name="router"),
        "work": worker(WORK, processes=2, name="work"),
    }


def make_database(name: str) -> str:
    """Make an empty database on the running server; gives its address."""
    url = os.environ["DATABASE_URL"]
    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute(f'CREATE DATABASE "{name}"')
    connection.close()
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@contextmanager
def running(commands: dict[str, str], **environment: str) -> Iterator[Supervisor]:
    """Run processes for the block."""
    supervisor = Supervisor(commands, {**os.environ, **environment}, folder=ROOT)
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()


def wait_until(
    condition: Callable[[], object], *, seconds: float = 120, pause: float = 0.005
) -> None:
    """Poll until a condition holds. Raises: TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"did not happen within {seconds} s")
        time.sleep(pause)
