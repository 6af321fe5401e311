"""Brokers that tests may kill, start again and empty: Valkey or RabbitMQ."""

import contextlib
import signal
from pathlib import Path
from typing import Protocol

import redis
from amqp.exceptions import NotFound
from kombu import Connection

from config.servers import free_port, start_valkey
from pms_events.categories import Category
from tests.stack.rabbitmq import RabbitMq

QUEUES = [*(c.queue for c in Category), "events.route", "events.sweep", "events.chores"]


class Broker(Protocol):
    """A server that may be taken away, and brought back under the same `url`."""

    url: str
    is_up: bool

    def kill(self) -> None: ...
    def start(self) -> None: ...
    def flush(self) -> None: ...


class Valkey:
    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.start()

    def start(self) -> None:
        self._server = start_valkey(self._folder, port=self._port)
        self.url = self._server.url
        self.is_up = True

    def kill(self) -> None:
        self._server.stop()
        self.is_up = False

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


class Rabbit:
    def __init__(self, folder: Path) -> None:
        self._server = RabbitMq(folder)
        self.url, self.is_up = self._server.url, True

    def start(self) -> None:
        self._server.start()
        self.is_up = True

    def kill(self) -> None:
        self._server.stop(signal.SIGKILL)
        self.is_up = False

    def flush(self) -> None:
        with Connection(self.url, connect_timeout=5) as connection:
            for name in QUEUES:
                with contextlib.suppress(NotFound):  # nobody has used that queue yet
                    connection.channel().queue_purge(name)


def start_broker(name: str, folder: Path) -> Broker:
    """Start the broker of this name: `valkey` or `rabbitmq`."""
    return {"valkey": Valkey, "rabbitmq": Rabbit}[name](folder / name)
