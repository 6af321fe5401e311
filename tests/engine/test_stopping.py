"""A worker that is told to stop gives back what it has not started, and uses no attempt for it."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from apps.dispatch.models import PendingDelivery, State
from apps.engine import external_effects, router, stopping, working
from apps.events.models import Delivery
from apps.tenants.entering import TenantRef, entering
from pms_events.context import Context
from pms_events.envelope import Envelope
from pms_events.handlers import Effects
from pms_events.publishing import publish_many
from tests.engine.handlers import handler


@pytest.fixture(autouse=True)
def _running() -> Iterator[None]:
    stopping.go_on()
    yield
    stopping.go_on()


def send(tenant: TenantRef, count: int) -> None:
    with entering(tenant):
        publish_many(
            [Envelope(id=str(n), source="t", type="custom.a", data={}) for n in range(count)]
        )
    router.route()


def stop_at_second(payload: Any, context: Context) -> None:
    if context.event.id == "1":
        stopping.stop_everybody()


def test_database_effects_that_had_begun_are_settled_and_the_rest_is_free(acme: TenantRef) -> None:
    with handler(stop_at_second, ordered=False) as seen:
        send(acme, 10)
        tally, is_more = working.work("automation")
    assert (len(seen), tally.done, tally.given_back, is_more) == (2, 2, 8, True)
    rows = PendingDelivery.objects.values_list("state", "attempts", "crashes").distinct()
    assert list(rows) == [(State.READY, 0, 0)]
    with entering(acme):
        assert Delivery.objects.count() == 2


def test_nothing_is_begun_after_the_word(acme: TenantRef) -> None:
    with handler() as seen:
        send(acme, 3)
        stopping.stop_everybody()
        tally, _ = working.work("automation")
    assert (seen, tally.given_back, PendingDelivery.objects.count()) == ([], 3, 3)


def test_external_deliveries_that_were_not_started_go_back(acme: TenantRef, settings: Any) -> None:
    with handler(stop_at_second, ordered=False, effects=Effects.EXTERNAL):
        send(acme, 40)
        tally, _ = working.work("automation")
    assert tally.done + tally.given_back == 40
    assert tally.given_back >= 40 - settings.EXTERNAL_THREADS
    assert set(PendingDelivery.objects.values_list("state", "attempts")) == {(State.READY, 0)}


def test_who_still_talks_at_a_stop_is_put_off_until_it_must_have_ended(
    acme: TenantRef, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external_effects, "_PATIENCE", timedelta(seconds=0.2))
    release = threading.Event()

    def talk(payload: Any, context: Context) -> None:
        stopping.stop_everybody()
        release.wait(20)

    with handler(talk, effects=Effects.EXTERNAL):
        send(acme, 1)
        tally, _ = working.work("automation")
        release.set()
    assert (tally.lost, tally.done) == (1, 0)
    row = PendingDelivery.objects.get()
    assert (row.state, row.attempts, row.crashes, row.failures) == (State.SCHEDULED, 0, 0, 0)
