"""Pauses and limits: at once, without loss, and out of the claim's way."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.dispatch.caps import BadScope, remove_cap, set_cap, unpark
from apps.dispatch.claiming import claim
from apps.dispatch.models import Cap, Lane, PendingDelivery, State
from apps.engine import router, sweeping, working
from apps.tenants.entering import TenantRef, entering
from pms_events.categories import Category
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many, subscribe
from tests.engine.handlers import handler

LEASE = timedelta(minutes=1)


def send(tenant: TenantRef, count: int, *, stream: str = "") -> None:
    with entering(tenant):
        publish_many(
            [
                Envelope(id=f"{stream}{n}", source="t", type="custom.a", subject=stream, data={})
                for n in range(count)
            ]
        )
    router.route()


def cap(**scope: Any) -> Cap:
    return set_cap(by="ada", now=timezone.now(), **scope)


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in PendingDelivery.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def test_a_paused_tenant_waits_and_another_runs(acme: TenantRef, harbor: TenantRef) -> None:
    with handler() as seen:
        pause = cap(tenant_id=acme.id)
        send(acme, 30)
        send(harbor, 30)
        working.work("automation", limit=10)
        working.work("automation", limit=100)
        assert {context.tenant for context in seen} == {"harbor"}
        assert len(seen) == 30
        assert states() == {State.PAUSED: 30}
        # A pause uses no attempt.
        assert set(PendingDelivery.objects.values_list("attempts", flat=True)) == {0}
        remove_cap(pause)
        assert states() == {State.READY: 30}
        working.work("automation")
        assert len(seen) == 60


def test_a_paused_category_is_not_even_looked_at(acme: TenantRef) -> None:
    with handler() as seen:
        pause = cap(category=Category.AUTOMATION.value)
        send(acme, 5)
        assert working.work("automation")[0].moved == 0
        assert states() == {State.READY: 5}
        remove_cap(pause)
        working.work("automation")
        assert len(seen) == 5


def test_a_paused_handler_waits_and_its_neighbour_runs(acme: TenantRef) -> None:
    with handler(name="test.one") as one, handler(name="test.two") as two:
        cap(handler="test.one")
        send(acme, 3)
        working.work("automation")
    assert (len(one), len(two)) == (0, 3)


def test_a_paused_endpoint_waits_and_another_gets_its_share(acme: TenantRef) -> None:
    with handler(fan_out=True) as seen:
        with entering(acme):
            for target in ("a", "b"):
                subscribe(handler="test.handler", target=target, patterns=["custom.*"])
        cap(tenant_id=acme.id, handler="test.handler", target="a")
        send(acme, 3)
        working.work("automation")
    assert [context.target for context in seen] == ["b"] * 3
    assert states() == {State.PAUSED: 3}


def test_a_paused_head_keeps_its_stream_in_order(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    with handler() as seen:
        pause = cap(tenant_id=acme.id)
        send(acme, 3, stream="room")
        working.work("automation")
        assert states() == {State.PAUSED: 1, State.WAITING: 2}
        remove_cap(pause)
        run_all()
        assert [context.event.id for context in seen] == ["room0", "room1", "room2"]


def test_two_pauses_both_have_to_end(acme: TenantRef, run_all: Callable[..., int]) -> None:
    with handler() as seen:
        first, second = cap(tenant_id=acme.id), cap(handler="test.handler")
        send(acme, 2)
        run_all()
        remove_cap(first)
        run_all()
        assert (len(seen), states()) == (0, {State.PAUSED: 2})
        remove_cap(second)
        run_all()
        assert len(seen) == 2


def test_what_is_parked_while_its_pause_ends_is_found_by_the_sweep(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    with handler() as seen:
        pause = cap(tenant_id=acme.id)
        send(acme, 2)
        working.work("automation")
        # A claim that began before the end of the pause parks after it: the cap is gone by then.
        Cap.objects.filter(pk=pause.pk).delete()
        sweeping.sweep()
        assert states() == {State.READY: 2}
        run_all()
        assert len(seen) == 2


def test_a_limit_leases_so_many_at_once_and_the_rest_comes_when_there_is_room(
    acme: TenantRef, harbor: TenantRef
) -> None:
    with handler():
        cap(tenant_id=acme.id, at_most=3)
        send(acme, 10)
        send(harbor, 2)
        lease, batch = claim("automation", lane=Lane.LIVE, limit=50, lease_for=LEASE)
        assert sorted(d.tenant_id for d in batch) == sorted([acme.id] * 3 + [harbor.id] * 2)
        assert claim("automation", lane=Lane.LIVE, limit=50, lease_for=LEASE)[1] == []
        assert unpark() == set()
        working.run_batch(batch, lease=lease)
        assert unpark() == {"automation"}
        _, batch = claim("automation", lane=Lane.LIVE, limit=50, lease_for=LEASE)
        assert len(batch) == 3


def test_a_pause_beside_a_limit_holds_too(acme: TenantRef, harbor: TenantRef) -> None:
    with handler():
        pause, limit = cap(tenant_id=acme.id), cap(category="automation", at_most=3)
        send(acme, 5)
        send(harbor, 5)
        _, batch = claim("automation", lane=Lane.LIVE, limit=50, lease_for=LEASE)
    assert [claimed.tenant_id for claimed in batch] == [harbor.id] * 3
    kept = PendingDelivery.objects.filter(state=State.PAUSED).values_list("tenant_id", "cap_id")
    assert sorted(kept) == sorted([(acme.id, pause.id)] * 5 + [(harbor.id, limit.id)] * 2)


def test_a_limit_of_another_category_or_beside_its_pause_takes_nothing_out_of_the_way(
    acme: TenantRef,
) -> None:
    with handler():
        cap(category="messaging", at_most=1)
        send(acme, 3)
        _, batch = claim("automation", lane=Lane.LIVE, limit=2, lease_for=LEASE)
        assert len(batch) == 2
        cap(tenant_id=acme.id, at_most=1)
        cap(category="automation")
        assert claim("automation", lane=Lane.LIVE, limit=2, lease_for=LEASE)[1] == []
    assert states() == {State.RUNNING: 2, State.READY: 1}


def test_the_same_scope_again_changes_the_cap(acme: TenantRef) -> None:
    first = cap(tenant_id=acme.id)
    second = cap(tenant_id=acme.id, at_most=4, reason="their server is slow")
    assert first.pk == second.pk
    assert Cap.objects.values_list("at_most", "reason").get() == (4, "their server is slow")


@pytest.mark.parametrize(
    ("scope", "what"),
    [
        ({}, "name a category"),
        ({"category": "nonsense"}, "no category 'nonsense'"),
        ({"handler": "no.such"}, "no handler is named 'no.such'"),
        ({"category": "sync", "target": "7"}, "a target belongs to a handler"),
        ({"category": "sync", "at_most": -1}, "0 .a pause. or more"),
    ],
)
def test_a_scope_that_names_nothing_is_refused(
    database: None, scope: dict[str, Any], what: str
) -> None:
    with pytest.raises(BadScope, match=what):
        cap(**scope)
    assert Cap.objects.count() == 0
