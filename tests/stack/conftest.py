"""Real Celery workers for the tests of this folder, on the test's database and broker."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from pms_events.categories import Category
from tests.embedded import is_on_rabbitmq
from tests.processes import Process, start_worker
from tests.stack.brokers import start_broker

WORK_QUEUES = [category.queue for category in Category]
ENGINE_QUEUES = ["events.route", "events.sweep", "events.chores"]


@pytest.fixture
def processes(database: None) -> Iterator[list[Process]]:
    """What the test started; ended with it."""
    started: list[Process] = []
    yield started
    for process in started:
        process.kill()


@pytest.fixture
def worker(processes: list[Process], tmp_path: Path) -> Callable[..., Process]:
    """Start a worker on all queues, or on those given: `worker(queues)`."""

    def start(queues: list[str] | None = None, **options: str) -> Process:
        log = tmp_path / f"worker-{len(processes)}.log"
        process = start_worker(
            log,
            queues or [*ENGINE_QUEUES, *WORK_QUEUES],
            concurrency=2,
            name=f"w{len(processes)}",
            **options,
        )
        processes.append(process)
        return process

    return start


@pytest.fixture
def beat(processes: list[Process], tmp_path: Path) -> Callable[..., Process]:
    """Start Celery's scheduler, which sends the sweep."""

    def start(**options: str) -> Process:
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "config",
            "beat",
            "--pidfile=",
            "-s",
            str(tmp_path / "beat"),
        ]
        process = Process(command, tmp_path / "beat.log", **options)
        processes.append(process)
        return process

    return start


class Broker:
    """A broker of the test's own, which can be stopped, emptied and started on the same port."""

    def __init__(self, folder: Path) -> None:
        self._made = start_broker("rabbitmq" if is_on_rabbitmq() else "valkey", folder)
        self.url = self._made.url

    def stop(self) -> None:
        if self._made.is_up:
            self._made.kill()

    def start(self) -> None:
        self._made.start()

    def flush(self) -> None:
        self._made.flush()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """For the block it lets everybody in and says nothing, as one whose memory is full does."""
        port = urlsplit(self.url).port
        found = {
            c.pid
            for c in psutil.net_connections("tcp")
            if c.status == psutil.CONN_LISTEN and c.laddr.port == port and c.pid
        }
        assert found
        for pid in found:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in found:
                os.kill(pid, signal.SIGCONT)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker that the test may kill."""
    made = Broker(tmp_path)
    yield made
    made.stop()
