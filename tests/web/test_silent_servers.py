"""Servers that take a connection and never say a word: worse than those that are away."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from apps.events.models import Event
from apps.tenants.entering import TenantRef, entering
from tests.processes import free_port, start_web

MANY = 20
BEARABLE = 15.0


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that lets everybody in, and where nobody answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(100)
        yield server.getsockname()[1]


@pytest.mark.parametrize("scheme", ["redis://", "amqp://guest:guest@"])
def test_a_broker_that_hangs_fails_no_ingest_and_holds_it_up_for_a_moment_only(
    acme: TenantRef, key_of: Callable[..., str], silent: int, scheme: str, tmp_path: Path
) -> None:
    port = free_port()
    broker = f"{scheme}127.0.0.1:{silent}//"
    process = start_web(tmp_path / "web.log", port=port, CELERY_BROKER_URL=broker, CACHE_URL="")
    try:
        start = time.monotonic()
        for n in range(MANY):
            answer = requests.post(
                f"http://127.0.0.1:{port}/api/v1/events",
                json={"id": f"{n}", "source": "test", "type": "custom.a", "data": {}},
                headers={"Authorization": f"Bearer {key_of(acme)}"},
                timeout=BEARABLE,
            )
            assert answer.status_code == 202
        assert time.monotonic() - start < 2 * BEARABLE
    finally:
        process.kill()
    with entering(acme):
        assert Event.objects.count() == MANY
