"""What a benchmark runs on: servers in a temporary folder, tenants, and worker processes."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from config.servers import start_servers
from config.supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent
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
