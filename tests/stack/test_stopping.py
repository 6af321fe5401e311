"""Workers that are told to stop, and workers that are alive and deaf, with real processes."""

import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import requests

from apps.dispatch.models import PendingDelivery, State
from apps.properties.models import Property
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.processes import Process, eventually

pytestmark = pytest.mark.stack
QUEUES = ["events.route", "events.automation"]


def publish(tenant: TenantRef, type: str, *ids: str) -> None:
    with entering(tenant):
        publish_many([Envelope(id=i, source="test", type=type, data={}) for i in ids])


def test_a_worker_that_is_told_to_stop_gives_its_claim_back_at_once(
    acme: TenantRef, worker: Callable[..., Process], tmp_path: Path
) -> None:
    marker = tmp_path / "in the middle"
    options = {"PMS_TEST_SLOW_ONCE": str(marker), "PMS_TEST_SLOW_SECONDS": "3"}
    publish(acme, "custom.slow_effect", *[f"{n:02}" for n in range(40)])
    # No beat: nobody but the stopping worker can make its claim ready again.
    first = worker(QUEUES, **options)
    eventually(marker.exists)
    first.popen.send_signal(signal.SIGTERM)
    first.popen.wait(20)
    with entering(acme):
        assert Property.objects.count() == 1  # what had begun was settled
    rows = PendingDelivery.objects.values_list("state", "attempts", "crashes")
    assert set(rows) == {(State.READY, 0, 0)}
    assert len(rows) == 39
    # It also rang for what it gave back, so the next worker has not to wait for a sweep.
    worker(QUEUES, **options)
    eventually(lambda: not PendingDelivery.objects.exists())
    with entering(acme):
        assert Property.objects.count() == 40


def test_a_platform_that_tells_every_process_to_stop_loses_nothing_either(
    acme: TenantRef, worker: Callable[..., Process], tmp_path: Path
) -> None:
    marker = tmp_path / "in the middle"
    options = {"PMS_TEST_SLOW_ONCE": str(marker), "PMS_TEST_SLOW_SECONDS": "3"}
    publish(acme, "custom.slow_effect", *[f"{n:02}" for n in range(10)])
    first = worker(QUEUES, **options)
    eventually(marker.exists)
    head = psutil.Process(first.popen.pid)
    for process in [head, *head.children(recursive=True)]:
        process.send_signal(signal.SIGTERM)
    first.popen.wait(20)
    rows = PendingDelivery.objects.values_list("state", "attempts", "crashes")
    assert set(rows) == {(State.READY, 0, 0)}
    with entering(acme):
        assert Property.objects.count() + len(rows) == 10


def test_a_worker_that_is_connected_and_deaf_is_noticed(
    acme: TenantRef, worker: Callable[..., Process], beat: Callable[..., Process], web: str
) -> None:
    options = {"PMS_STUCK_SECONDS": "2"}
    engine = worker(["events.route", "events.sweep", "events.chores"], **options)
    deaf = worker(["events.automation"], **options)
    beat(**options)
    deaf.popen.send_signal(signal.SIGSTOP)  # its connection stays, and it hears nothing
    try:
        publish(acme, "custom.effect", "1")

        def parts() -> dict[str, dict[str, object]]:
            answer = requests.get(f"{web}/readyz", timeout=20)
            assert answer.status_code == 200  # events are taken in all the same
            return dict(answer.json()["parts"])

        eventually(lambda: "category automation" in parts())
        assert parts()["sweep"]["ok"] is True
        metrics = requests.get(f"{web}/metrics", timeout=20).text
        assert 'pms_part_ok{part="category automation"} 0.0' in metrics
        eventually(lambda: "stuck: work is ready and nothing moves" in engine.text())
    finally:
        deaf.popen.send_signal(signal.SIGCONT)
    eventually(lambda: not PendingDelivery.objects.exists())
    eventually(lambda: "category automation" not in parts())
    assert engine.text().count("stuck: work is ready") == 1
