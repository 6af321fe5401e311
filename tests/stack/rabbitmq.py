"""A RabbitMQ of the tests' own: own node, ports and folder, on loopback only."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import psutil

from tests.processes import eventually, free_port


class RabbitMq:
    """A running server; `url` is what Celery takes. Raises: AssertionError when it does not start."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._port = free_port()
        name = f"pms{self._port}"
        self._log = folder / "server.log"
        config = folder / "rabbitmq.conf"
        config.write_text(f"listeners.tcp.local = 127.0.0.1:{self._port}\nloopback_users = none\n")
        (folder / "enabled_plugins").write_text("[].\n")
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"{name}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "ERL_EPMD_PORT": str(free_port()),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_ALLOW_INPUT": "",
        }
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}//"
        self.start()

    def start(self) -> None:
        """Start it, at first or again: on the same port, with the data that it had."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [server_program() or "rabbitmq-server"],
                env=self._environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        eventually(self._answers, seconds=60)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self._log.read_text(errors="replace")[-2000:]
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1):
                return True
        except OSError:
            return False

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End the server, and its port mapper, which left the group."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, how)
        self._process.wait(10)
        for process in psutil.process_iter(["name"]):
            if process.info["name"] == "epmd" and self._is_ours(process):
                process.kill()

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("HOME") == self._environment["HOME"]
        except psutil.Error:
            return False


def server_program() -> str | None:
    """Find the server itself; Debian's wrapper on the path changes the user and its folders."""
    own = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    return str(own) if own.exists() else shutil.which("rabbitmq-server")
