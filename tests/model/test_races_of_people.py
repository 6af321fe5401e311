"""Two people at once, or one beside the engine, on connections of their own, step by step."""

from collections.abc import Callable

import pytest

from apps.dispatch import operations
from apps.dispatch.models import Arrival, PendingDelivery
from apps.engine import router
from apps.fallback.models import DeadLetter
from apps.fallback.operations import AlreadyDecided, correct, discard, retry
from apps.tenants.entering import TenantRef, entering
from pms_events.context import Context
from pms_events.errors import PermanentError
from pms_events.handlers import OnDead
from tests.engine.handlers import handler
from tests.model.doing import (
    claim,
    inside,
    letters,
    now,
    refuse,
    run,
    send,
    send_and_route,
    states,
)
from tests.model.emptying import forget_alerts
from tests.model.sides import Sides
from tests.processes import eventually


def _one_dead(tenant: TenantRef, *ids: str) -> list[DeadLetter]:
    """Let deliveries of one stream die for good; gives their dead letters."""
    send_and_route(tenant, *ids)
    while run(claim()).dead:
        pass
    forget_alerts()
    return letters(tenant)


def _refuse_the_first(payload: object, context: Context) -> None:
    if context.event.id == "1":
        raise PermanentError("no")


def _retry(tenant: TenantRef, letter: DeadLetter, *, actor: str = "ann") -> Callable[[], object]:
    return inside(tenant, lambda: retry([letter], actor=actor, now=now()))


def test_of_two_people_who_retry_at_once_the_second_is_told(acme: TenantRef, side: Sides) -> None:
    with handler(refuse):
        letter = _one_dead(acme, "1")[0]
        first = side(_retry(acme, letter), holds=True)
        first.wait_until_stopped()
        second = side(_retry(acme, letter, actor="bob"))
        second.wait_until_blocked()
        assert first.result() == 1
        with pytest.raises(AlreadyDecided, match="by ann"):
            second.result()
    assert states() == ["ready"]
    with entering(acme):
        assert letter.reviews.count() == 1


def test_of_a_retry_and_a_discard_at_once_one_holds(acme: TenantRef, side: Sides) -> None:
    with handler(refuse):
        letter = _one_dead(acme, "1")[0]
        first = side(
            inside(acme, lambda: discard([letter], actor="ann", note="stale", now=now())),
            holds=True,
        )
        first.wait_until_stopped()
        second = side(_retry(acme, letter))
        second.wait_until_blocked()
        assert first.result() == 1
        with pytest.raises(AlreadyDecided):
            second.result()
    assert states() == []
    assert letters(acme)[0].state == "discarded"


def test_of_two_corrections_at_once_one_is_published(acme: TenantRef, side: Sides) -> None:
    with handler(refuse):
        letter = _one_dead(acme, "1")[0]
        first = side(
            inside(acme, lambda: correct(letter, data={"n": 2}, actor="ann", now=now())), holds=True
        )
        first.wait_until_stopped()
        second = side(inside(acme, lambda: correct(letter, data={"n": 3}, actor="bob", now=now())))
        second.wait_until_blocked()
        first.result()
        with pytest.raises(AlreadyDecided):
            second.result()
    assert Arrival.objects.count() == 1


def test_a_correction_that_is_not_committed_is_routed_after_it_is(
    acme: TenantRef, side: Sides
) -> None:
    with handler(refuse):
        letter = _one_dead(acme, "1")[0]
        correcting = side(
            inside(acme, lambda: correct(letter, data={"n": 2}, actor="ann", now=now())), holds=True
        )
        correcting.wait_until_stopped()
        assert router.route() == 0
        uid = correcting.result()
        assert router.route() == 1
    assert list(PendingDelivery.objects.values_list("event_uid", "state")) == [(uid, "ready")]


def test_a_retry_beside_a_settle_of_its_stream_is_not_stranded(
    acme: TenantRef, side: Sides
) -> None:
    with handler(_refuse_the_first):
        send_and_route(acme, "1", "2")
        run(claim())
        letter = letters(acme)[0]
        held = claim()
        settling = side(lambda: run(held), before="any_waiting")
        settling.wait_until_stopped()
        _retry(acme, letter)()
        assert settling.result().done == 1
    assert states() == ["ready"]


def test_a_settle_beside_a_retry_of_its_stream_leaves_nothing_stranded_after_the_sweep(
    acme: TenantRef, side: Sides
) -> None:
    with handler(_refuse_the_first):
        send_and_route(acme, "1", "2")
        run(claim())
        letter = letters(acme)[0]
        held = claim()
        retrying = side(_retry(acme, letter), holds=True)
        retrying.wait_until_stopped()
        assert run(held).done == 1
        assert retrying.result() == 1
        operations.heal_streams()
    assert states() == ["ready"]


def test_two_people_who_retry_two_of_one_stream_at_once_both_succeed(
    acme: TenantRef, side: Sides
) -> None:
    with handler(refuse):
        one, two = _one_dead(acme, "1", "2")
        first = side(_retry(acme, one), holds=True)
        first.wait_until_stopped()
        second = side(_retry(acme, two, actor="bob"))
        second.wait_until_blocked()
        assert first.result() == 1
        assert second.result() == 1
    assert states() == ["ready", "waiting"]


def test_a_retry_beside_the_router_adding_to_its_stream_succeeds(
    acme: TenantRef, side: Sides
) -> None:
    with handler(refuse):
        letter = _one_dead(acme, "1")[0]
        send(acme, "2")
        routing = side(router.route, holds=True)
        routing.wait_until_stopped()
        retrying = side(_retry(acme, letter))
        retrying.wait_until_blocked()
        assert routing.result() == 1
        assert retrying.result() == 1
    assert sorted(states()) == ["ready", "waiting"]


def test_the_router_beside_a_retry_adding_to_its_stream_succeeds(
    acme: TenantRef, side: Sides
) -> None:
    with handler(refuse):
        letter = _one_dead(acme, "1")[0]
        send(acme, "2")
        retrying = side(_retry(acme, letter), holds=True)
        retrying.wait_until_stopped()
        routing = side(router.route)
        eventually(lambda: routing.is_blocked or routing.has_ended)
        assert retrying.result() == 1
        # Beside a retry the router may pass; the next doorbell finds it at work again.
        if routing.result() is None:
            assert router.route() == 1
    assert sorted(states()) == ["ready", "waiting"]


def test_a_discard_beside_the_router_lets_the_held_stream_go_on(
    acme: TenantRef, side: Sides
) -> None:
    with handler(refuse, on_dead=OnDead.HOLD):
        letter = _one_dead(acme, "1")[0]
        assert states() == ["held"]
        send(acme, "2")
        routing = side(router.route, holds=True)
        routing.wait_until_stopped()
        discarding = side(
            inside(acme, lambda: discard([letter], actor="ann", note="stale", now=now()))
        )
        discarding.wait_until_blocked()
        routing.result()
        assert discarding.result() == 1
    assert states() == ["ready"]


def test_a_correction_beside_the_router_keeps_the_place_of_what_it_corrects(
    acme: TenantRef, side: Sides
) -> None:
    with handler(refuse, on_dead=OnDead.HOLD):
        letter = _one_dead(acme, "1")[0]
        send(acme, "2")
        correcting = side(
            inside(acme, lambda: correct(letter, data={"n": 2}, actor="ann", now=now())), holds=True
        )
        correcting.wait_until_stopped()
        assert router.route() == 1
        assert states() == ["held", "waiting"]
        uid = correcting.result()
        assert router.route() == 1
    in_order = PendingDelivery.objects.order_by("id").values_list("event_uid", "state")
    assert [state for _, state in in_order] == ["waiting", "ready"]
    assert in_order[1][0] == uid
