"""External handlers: a target that hangs holds nobody else up, and what was not started is free."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection

from apps.dispatch.models import PendingDelivery, State
from apps.engine import router
from apps.engine.working import work
from apps.events.models import Delivery
from apps.tenants.entering import TenantRef, entering
from pms_events.context import Context
from pms_events.envelope import Envelope
from pms_events.handlers import Effects
from pms_events.publishing import publish_many, subscribe
from tests.engine.handlers import handler


def publish(tenant: TenantRef, type: str, count: int) -> None:
    with entering(tenant):
        publish_many(
            [Envelope(id=f"{type}{n}", source="t", type=type, data={}) for n in range(count)]
        )


@pytest.fixture
def hang() -> Callable[[Any, Context], None]:
    """A handler that waits long for nothing when its target hangs."""

    def run(payload: Any, context: Context) -> None:
        if context.target == "hanging":
            threading.Event().wait(2.2)
            raise TimeoutError("no answer")

    return run


def test_a_hanging_target_delays_neither_another_target_nor_another_tenant(
    acme: TenantRef,
    harbor: TenantRef,
    settings: Any,
    hang: Callable[[Any, Context], None],
) -> None:
    settings.LEASE = timedelta(seconds=30)
    options: dict[str, Any] = {"effects": Effects.EXTERNAL, "fan_out": True, "ordered": False}
    with handler(hang, name="test.out", **options) as seen:
        with entering(acme):
            subscribe(handler="test.out", target="hanging", patterns=["custom.*"])
            subscribe(handler="test.out", target="fine", patterns=["custom.*"])
        with entering(harbor):
            subscribe(handler="test.out", target="fine", patterns=["custom.*"])
        publish(acme, "custom.a", 30)
        publish(harbor, "custom.h", 3)
        router.route()
        tally, _ = work("automation", limit=200)
    assert tally.done == 33
    assert tally.lost == 0
    hung = [context for context in seen if context.target == "hanging"]
    assert len(hung) == 4  # half of the threads, then no more of it in this batch
    with entering(harbor):
        assert Delivery.objects.filter(state="done").count() == 3
    left = PendingDelivery.objects.filter(target="hanging").values_list("state", "attempts")
    assert sorted(left) == [("ready", 0)] * 26 + [("scheduled", 1)] * 4
    assert not PendingDelivery.objects.filter(crashes__gt=0).exists()


def test_what_cannot_end_within_the_lease_is_not_started(
    acme: TenantRef, settings: Any, hang: Callable[[Any, Context], None]
) -> None:
    settings.LEASE = timedelta(seconds=5)  # shorter than the handler's limit of 20 s
    with handler(hang, name="test.out", effects=Effects.EXTERNAL, ordered=False) as seen:
        publish(acme, "custom.a", 3)
        router.route()
        tally, _ = work("automation")
    assert seen == []
    assert (tally.done, tally.lost) == (0, 0)
    rows = PendingDelivery.objects.values_list("state", "attempts", "crashes")
    assert list(rows) == [("ready", 0, 0)] * 3


def test_a_database_lost_in_a_round_gives_back_only_what_does_not_talk(
    acme: TenantRef, settings: Any
) -> None:
    settings.EXTERNAL_THREADS = 4  # two a target
    talks, release = threading.Event(), threading.Event()

    def run(payload: Any, context: Context) -> None:
        if context.event.id == "custom.a0":
            talks.set()
            release.wait(20)
            return
        talks.wait(20)
        # Our own connection dies while the other delivery still talks.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    with handler(run, effects=Effects.EXTERNAL, ordered=False):
        publish(acme, "custom.a", 6)
        router.route()
        with pytest.raises((OperationalError, InterfaceError)):
            work("automation")
        release.set()
    rows = PendingDelivery.objects.order_by("id").values_list("state", "attempts", "crashes")
    assert list(rows) == [(State.SCHEDULED, 0, 0), *[(State.READY, 0, 0)] * 5]
