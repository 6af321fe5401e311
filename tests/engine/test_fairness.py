"""Fair turns between tenants, urgent first within one, live before bulk, nothing starves."""

import statistics
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from django.db import transaction

from apps.dispatch.adding import FAR_AHEAD, FAR_BLOCK, begin_of_block
from apps.dispatch.claiming import claim
from apps.dispatch.models import Lane, PendingDelivery, TenantShare, TenantTurn
from apps.dispatch.operations import add_arrivals
from apps.engine import router
from apps.engine.working import work
from apps.events.store import Lineage, store_events
from apps.tenants.entering import TenantRef, entering
from pms_events.categories import P0, P4
from pms_events.envelope import Envelope
from pms_events.event_types import catalogue
from pms_events.routing import QUANTUM
from tests.engine.handlers import handler


def publish(
    tenant: TenantRef, prefix: str, count: int, *, lane: Lane = Lane.LIVE, type: str = "custom.a"
) -> None:
    entry = catalogue.find(type)
    with entering(tenant):
        store_events(
            [Envelope(id=f"{prefix}{n}", source="t", type=type, data={}) for n in range(count)],
            [entry] * count,
            lineage=Lineage(lane=lane),
        )


def route_all() -> None:
    while router.route():
        continue


def order(limit: int) -> list[tuple[int, int]]:
    """Tenant and priority of the next deliveries in the order of the claim."""
    rows = PendingDelivery.objects.filter(state="ready", lane=Lane.LIVE)
    return list(rows.order_by("turn", "tenant_id").values_list("tenant_id", "priority")[:limit])


def test_a_flood_of_one_tenant_does_not_hold_another_up(acme: TenantRef, harbor: TenantRef) -> None:
    with handler():
        publish(acme, "a", 1000)
        route_all()
        publish(harbor, "h", 1)
        route_all()
        _, batch = claim("automation", lane=Lane.LIVE, limit=50, lease_for=timedelta(minutes=1))
    assert harbor.id in {delivery.tenant_id for delivery in batch}


def test_a_router_far_ahead_of_the_workers_leaves_them_room_unless_somebody_new_is_there(
    acme: TenantRef, harbor: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []
    sleep = time.sleep

    def rest(seconds: float) -> None:
        rests.append(seconds)
        sleep(seconds)

    monkeypatch.setattr("time.sleep", rest)
    with handler():
        publish(acme, "a", 2 * router.BATCH)
        router.route_all()
        assert len(rests) == 0
        publish(acme, "b", 2 * router.BATCH)
        router.route_all()
        assert sum(rests) > 0
        rests.clear()
        publish(acme, "c", router.BATCH - 1)
        publish(harbor, "h", 1)
        router.route_all()
        assert not rests


def test_behind_a_flood_that_is_far_ahead_others_are_found(
    acme: TenantRef, harbor: TenantRef
) -> None:
    with handler():
        publish(acme, "a", FAR_AHEAD)
        route_all()
        publish(acme, "b", 5 * router.BATCH)
        publish(harbor, "h", 3)
        router.route_all()
    pending = PendingDelivery.objects.order_by("id")
    found = list(pending.filter(tenant_id=harbor.id))
    assert len(found) == 3
    assert pending.filter(tenant_id=acme.id, id__gt=found[-1].id).count() >= 4 * router.BATCH
    assert pending.count() == FAR_AHEAD + 5 * router.BATCH + 3


def test_who_was_far_ahead_is_soon_looked_for_again(
    acme: TenantRef, harbor: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "_FAR_SECONDS", 0.2)
    monkeypatch.setattr(router, "_VAIN_FACTOR", 0)
    with handler():
        arrive([acme.id, harbor.id], each=FAR_AHEAD)
        let_wait([harbor.id, acme.id], each=router.BATCH // 2)
        let_wait([acme.id], each=12 * router.BATCH)
        let_wait([harbor.id], each=1)
        router.route_all()
    pending = PendingDelivery.objects.order_by("id")
    last = pending.filter(tenant_id=harbor.id).last()
    assert last is not None
    assert pending.filter(tenant_id=acme.id, id__gt=last.id).count() >= 2 * router.BATCH


def test_far_behind_its_own_a_tenants_blocks_are_as_long_as_a_claim(acme: TenantRef) -> None:
    with handler():
        publish(acme, "near", FAR_AHEAD)
        route_all()
        publish(acme, "far", 1000)
        route_all()
    turns = list(PendingDelivery.objects.order_by("id").values_list("turn", flat=True))
    near, far = turns[:FAR_AHEAD], turns[FAR_AHEAD:]
    assert FAR_AHEAD / QUANTUM <= len(set(near)) <= FAR_AHEAD / QUANTUM + 2
    assert 2 <= len(set(far)) <= 3
    assert far == sorted(far)
    assert min(far) > near[FAR_AHEAD // 2]
    assert TenantTurn.objects.get().last_turn == pytest.approx((FAR_AHEAD + 1000) / QUANTUM)


def let_wait(tenants: Iterable[int], *, each: int) -> None:
    """Put events before the router, of tenants that need no schema for it."""
    now = datetime.now(UTC)
    ids = [tenant for tenant in tenants for _ in range(each)]
    about = (Lane.LIVE, None, "", True, None, None)
    with transaction.atomic():
        add_arrivals([(tenant, uuid4(), "custom.a", str(uuid4()), now, *about) for tenant in ids])


def arrive(tenants: Iterable[int], *, each: int) -> None:
    """Route events of tenants that need no schema for it."""
    let_wait(tenants, each=each)
    route_all()


def _first_turn() -> float:
    return (
        PendingDelivery.objects.filter(state="ready")
        .order_by("turn")
        .values_list("turn", flat=True)[0]
    )


def claim_tenants(*, limit: int) -> list[int]:
    """Claim; give the tenants of what was claimed, each as often as it is there."""
    _, batch = claim("automation", lane=Lane.LIVE, limit=limit, lease_for=timedelta(minutes=1))
    return [delivery.tenant_id for delivery in batch]


TENANTS = range(1001, 1101)


def test_of_a_hundred_tenants_a_claim_enters_few_however_their_events_came(db: None) -> None:
    with handler():
        arrive(TENANTS, each=QUANTUM)
        for _ in range(2 * QUANTUM):
            arrive(TENANTS, each=1)
    claims = [claim_tenants(limit=100) for _ in range(3 * QUANTUM)]
    assert sum(map(len, claims)) == 3 * QUANTUM * len(TENANTS)
    # Five blocks of twenty fill a claim of a hundred; the ends of what came make some blocks shorter.
    assert statistics.mean(len(set(batch)) for batch in claims) <= 8


def test_a_newcomer_waits_for_nobodys_second_block(db: None) -> None:
    newcomer = 2001
    with handler():
        arrive(TENANTS, each=5 * QUANTUM)
        while PendingDelivery.objects.filter(state="ready", turn=_first_turn()).count() > 1:
            claim_tenants(limit=100)
        arrive([newcomer], each=1)
    assert newcomer in claim_tenants(limit=100)


def test_nobody_gets_a_second_turn_before_everybody_had_a_first(db: None) -> None:
    with handler():
        arrive(TENANTS, each=3 * QUANTUM)
    firsts: set[int] = set()
    served: Counter[int] = Counter()
    while len(firsts) < len(TENANTS):
        batch = claim_tenants(limit=100)
        firsts |= set(batch)
        served.update(batch)
    assert max(served.values()) <= 2 * QUANTUM


def test_who_trickles_in_gets_no_turn_below_the_clock(db: None) -> None:
    with handler():
        arrive([TENANTS[0]], each=10 * QUANTUM)
        claim_tenants(limit=5 * QUANTUM)
        clock = _first_turn()
        for _ in range(5):
            arrive(TENANTS[1:21], each=1)
    others = PendingDelivery.objects.exclude(tenant_id=TENANTS[0])
    assert others.count() == 100
    assert min(others.values_list("turn", flat=True)) >= clock > 0


def test_a_newcomer_waits_for_the_rest_of_one_block_only(
    acme: TenantRef, harbor: TenantRef
) -> None:
    block = FAR_BLOCK
    with handler():
        publish(acme, "a", FAR_AHEAD + 6 * block)
        route_all()
        for _ in range(FAR_AHEAD // block + 2):
            claim("automation", lane=Lane.LIVE, limit=block, lease_for=timedelta(minutes=1))
        publish(harbor, "h", 1)
        route_all()
        _, batch = claim("automation", lane=Lane.LIVE, limit=block, lease_for=timedelta(minutes=1))
    assert harbor.id in {delivery.tenant_id for delivery in batch}
    assert len({delivery.turn for delivery in batch}) <= 3


@pytest.mark.parametrize("length", [1.0, FAR_BLOCK / QUANTUM])
def test_blocks_of_many_tenants_begin_at_turns_of_their_own(length: float) -> None:
    begins = sorted(begin_of_block(1000.0, tenant, length) for tenant in range(1, 1001))
    gaps = [after - before for before, after in pairwise(begins)]
    assert begins[0] > 1000 - length
    assert begins[-1] <= 1000
    assert min(gaps) > 0
    assert max(gaps) < 4 * length / 1000


def test_two_floods_take_turns(acme: TenantRef, harbor: TenantRef) -> None:
    with handler():
        publish(acme, "a", 200)
        publish(harbor, "h", 200)
        route_all()
    first = [tenant for tenant, _ in order(100)]
    assert 40 <= first.count(acme.id) <= 60


def test_the_urgent_overtakes_within_a_tenant_and_the_rest_still_moves(acme: TenantRef) -> None:
    with handler(priority=P4):
        publish(acme, "slow", 300)
        route_all()
    with handler(name="test.urgent", priority=P0):
        publish(acme, "fast", 300)
        route_all()
    priorities = [priority for _, priority in order(400)]
    assert set(priorities[:100]) == {P0}
    assert P4 in priorities[:300]


def test_a_tenant_that_was_busy_is_not_punished_when_all_is_quiet(
    acme: TenantRef, harbor: TenantRef
) -> None:
    with handler():
        publish(acme, "a", 400)
        route_all()
        while work("automation")[1]:
            continue
        publish(acme, "b", 20)
        publish(harbor, "h", 100)
        route_all()
    assert acme.id in [tenant for tenant, _ in order(40)]


def test_live_goes_before_bulk_and_bulk_moves_all_the_same(acme: TenantRef) -> None:
    with handler() as seen:
        publish(acme, "bulk", 20, lane=Lane.BULK)
        publish(acme, "live", 200)
        route_all()
        for _ in range(16):
            work("automation", limit=5)
    names = [context.event.id for context in seen]
    assert len(names) == 80
    assert sum(name.startswith("live") for name in names) > 60
    assert any(name.startswith("bulk") for name in names)


def test_a_tenant_of_twice_the_weight_gets_twice_the_turns(
    acme: TenantRef, harbor: TenantRef
) -> None:
    TenantShare.objects.create(tenant_id=acme.id, weight=2)
    with handler():
        publish(acme, "a", 300)
        publish(harbor, "h", 300)
        route_all()
    first = [tenant for tenant, _ in order(300)]
    assert 190 <= first.count(acme.id) <= 210
