"""A replay outlives everything: web, workers, scheduler, broker and database killed on the way."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests

from config.postgres import start_postgres
from config.servers import start_valkey
from pms_events.categories import Category
from tests.processes import ROOT, Process, eventually, free_port, start_web, start_worker

pytestmark = pytest.mark.stack
EVENTS = 400
QUEUES = ["events.route", "events.sweep", "events.chores", *(c.queue for c in Category)]


class Stack:
    """Everything that runs, in a folder of its own; `die` kills it all at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.web_port = free_port()
        self.processes: list[Process] = []

    def start(self) -> None:
        """Start the servers, then the processes."""
        self._servers = [
            start_postgres(self.folder / "postgres"),
            start_valkey(self.folder / "valkey"),
        ]
        self.database_url, self.broker_url = (server.url for server in self._servers)
        self.environment = {
            "DATABASE_URL": self.database_url,
            "CELERY_BROKER_URL": self.broker_url,
            "PMS_VAR_DIR": str(self.folder),
            "PMS_LEASE_SECONDS": "21",
        }
        self.key = self._prepare()["tenants"]["acme"]["api_key"]
        log = self.folder
        self.processes = [
            start_web(log / "web.log", port=self.web_port, **self.environment),
            start_worker(log / "worker.log", QUEUES, concurrency=2, **self.environment),
            Process(
                [sys.executable, "-m", "celery", "-A", "config", "beat", "--pidfile=",
                 "-s", str(log / "beat")],
                log / "beat.log", **self.environment,
            ),
        ]  # fmt: skip

    def _prepare(self) -> Any:
        """Migrate, and make the tenants and their keys when they are not there yet."""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "config.prepare", str(self.folder / "demo.json")],
            cwd=ROOT, env={**os.environ, **self.environment}, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (self.folder / "demo.json").write_text(done.stdout)
        return json.loads(done.stdout)

    def post(self, path: str, body: Any) -> Any:
        """Post to the tenant's API; gives the answer's body."""
        answer = requests.post(
            f"http://127.0.0.1:{self.web_port}/api/v1/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.key}", "Host": "acme.localhost"},
            timeout=30,
        )
        assert answer.ok, answer.text
        return answer.json()

    def die(self) -> None:
        """Kill every process, then the servers, none of them asked."""
        for process in self.processes:
            process.kill(signal.SIGKILL)
        postmaster = int((self.folder / "postgres/postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)
        for server in self._servers:
            server.stop()

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg2.connect(self.database_url) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path)
    made.start()
    yield made
    made.die()


def replayed(stack: Stack) -> Counter[str]:
    """Count the finished deliveries of replays by event."""
    rows = stack.ask(
        "SELECT e.event_id, count(*) FROM acme.events_delivery d"
        " JOIN acme.events_event e ON e.uid = d.event_uid"
        " WHERE d.replay_id IS NOT NULL AND d.state = 'done' GROUP BY 1"
    )
    return Counter({row[0]: row[1] for row in rows})


def idle(stack: Stack) -> bool:
    return stack.ask(
        "SELECT (SELECT count(*) FROM dispatch_arrival) + (SELECT count(*) FROM dispatch_chore)"
        " + (SELECT count(*) FROM dispatch_pendingdelivery)"
    ) == [(0,)]


def test_a_replay_goes_on_after_everything_was_killed_each_event_exactly_once(stack: Stack) -> None:
    events = [
        {"id": f"{n:03}", "source": "test", "type": "custom.harmless", "data": {}}
        for n in range(EVENTS)
    ]
    assert stack.post("events", events)["accepted"] == EVENTS
    eventually(lambda: idle(stack))

    replay = stack.post("replays", {"filter": {"type": "custom.*"}, "rate": 50, "reason": "a test"})
    assert replay["total"] == EVENTS
    eventually(lambda: len(replayed(stack)) >= 50)
    stack.die()

    stack.start()
    assert 50 <= len(replayed(stack)) < EVENTS  # it was killed in the middle
    eventually(lambda: idle(stack), seconds=90)
    assert replayed(stack) == Counter({event["id"]: 1 for event in events})
    found = stack.ask("SELECT state, replayed, total, reason FROM acme.events_replay")
    assert found == [("done", EVENTS, EVENTS, "a test")]
