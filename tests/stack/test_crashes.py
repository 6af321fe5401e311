"""Workers and brokers that die, with real processes: nothing lost, nothing doubled."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from apps.dispatch.models import Arrival, PendingDelivery
from apps.events.models import Delivery, Event
from apps.fallback.models import DeadLetter
from apps.properties.models import Property
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.processes import Process, eventually, free_port, start_web
from tests.stack.conftest import Broker

pytestmark = pytest.mark.stack


def publish(tenant: TenantRef, type: str, *ids: str) -> None:
    with entering(tenant):
        publish_many([Envelope(id=i, source="test", type=type, data={}) for i in ids])


def idle() -> bool:
    return not Arrival.objects.exists() and not PendingDelivery.objects.exists()


def refs(tenant: TenantRef) -> list[str]:
    with entering(tenant):
        return sorted(Property.objects.values_list("ref", flat=True))


def test_a_worker_killed_in_a_batch_loses_nothing_and_doubles_no_effect(
    acme: TenantRef,
    harbor: TenantRef,
    worker: Callable[..., Process],
    beat: Callable[..., Process],
    tmp_path: Path,
) -> None:
    marker = tmp_path / "in the middle"
    options = {"PMS_TEST_SLOW_ONCE": str(marker), "PMS_LEASE_SECONDS": "21"}
    victim = worker(**options)
    beat()
    ids = [f"{n:03}" for n in range(60)]
    publish(harbor, "custom.effect", *ids)
    publish(acme, "custom.effect", *ids[:30])
    publish(acme, "custom.slow_effect", *ids[30:])
    eventually(marker.exists)
    victim.kill(signal.SIGKILL)
    assert refs(acme) != ids  # it was killed in the middle
    worker(**options)
    eventually(idle, seconds=60)
    assert refs(acme) == ids
    assert refs(harbor) == ids
    for tenant in (acme, harbor):
        with entering(tenant):
            ended = Delivery.objects.filter(handler="test.effect")
            assert sorted(ended.values_list("state").distinct()) == [("done",)]
            assert ended.count() == 60
            assert DeadLetter.objects.count() == 0


def test_a_handler_that_kills_its_worker_ends_as_poison_and_takes_nobody_with_it(
    acme: TenantRef, worker: Callable[..., Process], beat: Callable[..., Process]
) -> None:
    # Handlers of 1 s, so that the lease may be short and three crashes fit into a test.
    publish(acme, "custom.effect", "a", "b")
    publish(acme, "custom.poison", "p")
    publish(acme, "custom.effect", "c", "d")
    options = {"PMS_LEASE_SECONDS": "20.5"}
    worker(**options)
    beat()
    eventually(lambda: idle(), seconds=120)
    with entering(acme):
        letter = DeadLetter.objects.get()
        assert (letter.reason, letter.crashes, letter.event_type) == ("poison", 3, "custom.poison")
    assert refs(acme) == ["a", "b", "c", "d"]


def test_an_event_posted_while_the_broker_is_away_is_processed_when_it_returns(
    acme: TenantRef,
    key_of: Callable[..., str],
    worker: Callable[..., Process],
    beat: Callable[..., Process],
    broker: Broker,
    processes: list[Process],
    tmp_path: Path,
) -> None:
    options = {"CELERY_BROKER_URL": broker.url}
    port = free_port()
    processes.append(start_web(tmp_path / "web.log", port=port, **options))
    worker(**options)
    beat(**options)
    broker.stop()
    answer = requests.post(
        f"http://127.0.0.1:{port}/api/v1/events",
        json={"id": "1", "source": "test", "type": "custom.effect", "data": {}},
        headers={"Authorization": f"Bearer {key_of(acme)}"},
        timeout=20,
    )
    assert answer.status_code == 202
    with entering(acme):
        assert Event.objects.count() == 1
    ready = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=20)
    assert (ready.status_code, ready.json()["parts"]["broker"]["ok"]) == (200, False)
    assert not idle()
    broker.start()
    eventually(idle, seconds=60)
    assert refs(acme) == ["1"]
