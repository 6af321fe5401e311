"""What the broker may do without harm: be away, be restarted, lose every message.

The whole folder runs on Valkey and again on RabbitMQ with quorum queues (PMS_TEST_BROKER=rabbitmq).
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from apps.properties.models import Property
from apps.tenants.entering import TenantRef, entering
from tests.fallback.test_admin import sign_in
from tests.processes import Process, eventually, free_port, start_web
from tests.stack.conftest import Broker
from tests.stack.test_crashes import idle, refs

pytestmark = pytest.mark.stack
Post = Callable[[str], None]


@pytest.fixture
def post(
    acme: TenantRef,
    key_of: Callable[..., str],
    broker: Broker,
    processes: list[Process],
    tmp_path: Path,
) -> Post:
    """A web process on the test's own broker; posts an event, which must be accepted."""
    port = free_port()
    options = {"CELERY_BROKER_URL": broker.url, "CACHE_URL": ""}
    processes.append(start_web(tmp_path / "web.log", port=port, **options))
    headers = {"Authorization": f"Bearer {key_of(acme)}"}

    def send(id: str) -> None:
        answer = requests.post(
            f"http://127.0.0.1:{port}/api/v1/events",
            json={"id": id, "source": "test", "type": "custom.effect", "data": {}},
            headers=headers,
            timeout=20,
        )
        assert answer.status_code == 202, answer.text

    return send


def test_doorbells_alone_bring_an_event_to_its_end(
    acme: TenantRef, worker: Callable[..., Process], broker: Broker, post: Post
) -> None:
    worker(CELERY_BROKER_URL=broker.url, CACHE_URL="")
    # No beat, so no sweep: what is processed here was heard from the broker.
    for n in range(3):
        post(str(n))
        eventually(idle)
    assert refs(acme) == ["0", "1", "2"]


def test_messages_that_are_lost_cost_latency_only(
    acme: TenantRef,
    worker: Callable[..., Process],
    beat: Callable[..., Process],
    broker: Broker,
    post: Post,
) -> None:
    options = {"CELERY_BROKER_URL": broker.url, "CACHE_URL": ""}
    worker(["events.sweep"], **options)  # declares its queue, and hears nothing else
    for n in range(5):
        post(str(n))
    broker.flush()
    with entering(acme):
        assert Property.objects.count() == 0
    worker(**options)
    beat(**options)
    eventually(idle, seconds=60)
    assert refs(acme) == ["0", "1", "2", "3", "4"]


def test_a_broker_that_is_restarted_is_found_again_by_everybody(
    acme: TenantRef,
    worker: Callable[..., Process],
    beat: Callable[..., Process],
    broker: Broker,
    post: Post,
) -> None:
    options = {"CELERY_BROKER_URL": broker.url, "CACHE_URL": ""}
    worker(**options)
    beat(**options)
    post("before")
    eventually(idle, seconds=60)
    broker.stop()
    post("while it is away")
    post("and longer")
    broker.start()
    post("after")
    eventually(idle, seconds=90)
    assert refs(acme) == ["after", "and longer", "before", "while it is away"]


def test_a_broker_that_hangs_holds_events_up_for_a_moment_only(
    acme: TenantRef,
    worker: Callable[..., Process],
    beat: Callable[..., Process],
    broker: Broker,
    post: Post,
) -> None:
    post("before")  # the connection is there, and is kept
    with broker.hanging():
        for n in range(5):
            post(f"while it hangs {n}")  # each within the client's patience
    post("after")
    options = {"CELERY_BROKER_URL": broker.url, "CACHE_URL": ""}
    worker(**options)
    beat(**options)
    eventually(idle, seconds=90)
    assert refs(acme) == ["after", "before", *(f"while it hangs {n}" for n in range(5))]


def test_the_live_view_sees_over_the_broker_who_listens(
    acme: TenantRef, worker: Callable[..., Process], web: str
) -> None:
    worker(["events.automation"])
    with entering(acme):
        session = sign_in("acme.localhost").cookies["sessionid"].value

    def seen() -> str:
        answer = requests.get(
            f"{web}/admin/live/workers/",
            headers={"Host": "acme.localhost"},
            cookies={"sessionid": session},
            timeout=20,
        )
        assert answer.status_code == 200
        return answer.text

    # What was seen is kept for some seconds; another test may have asked before us.
    eventually(lambda: "events.automation: 1 worker<" in seen(), seconds=60)
