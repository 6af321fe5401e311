"""The way of an event with RabbitMQ as the broker: quorum queues, nothing else differs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from apps.dispatch.models import Arrival, PendingDelivery
from apps.properties.models import Property
from apps.tenants.entering import TenantRef, entering
from tests.processes import Process, eventually, free_port, start_web
from tests.stack.rabbitmq import RabbitMq, server_program

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(
        server_program() is None,
        reason="RabbitMQ is not installed (Debian: apt-get install rabbitmq-server)",
    ),
]


@pytest.fixture
def rabbitmq(tmp_path: Path) -> Iterator[RabbitMq]:
    server = RabbitMq(tmp_path / "rabbitmq")
    yield server
    server.stop()


def test_an_event_is_processed_over_quorum_queues(
    acme: TenantRef,
    key_of: Callable[..., str],
    worker: Callable[..., Process],
    rabbitmq: RabbitMq,
    processes: list[Process],
    tmp_path: Path,
) -> None:
    options = {"CELERY_BROKER_URL": rabbitmq.url, "CACHE_URL": ""}
    port = free_port()
    processes.append(start_web(tmp_path / "web.log", port=port, **options))
    worker(**options)
    headers = {"Authorization": f"Bearer {key_of(acme)}"}
    # No beat, so no sweep: what is processed here was heard from the broker.
    for n in range(3):
        answer = requests.post(
            f"http://127.0.0.1:{port}/api/v1/events",
            json={"id": str(n), "source": "test", "type": "custom.effect", "data": {}},
            headers=headers,
            timeout=20,
        )
        assert answer.status_code == 202
        eventually(lambda: not Arrival.objects.exists() and not PendingDelivery.objects.exists())
    with entering(acme):
        assert sorted(Property.objects.values_list("ref", flat=True)) == ["0", "1", "2"]
