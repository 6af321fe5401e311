"""Two at once at each dangerous point, on connections of their own, step by step."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from apps.dispatch import operations
from apps.dispatch.caps import remove_cap, set_cap
from apps.dispatch.models import Arrival, Cap, PendingDelivery
from apps.dispatch.sweeping import expire_leases
from apps.engine import router, sweeping
from apps.events.filters import EventFilter
from apps.events.models import Delivery
from apps.events.replaying import start_replay, step_replay
from apps.fallback.models import DeadLetter
from apps.fallback.operations import AlreadyDecided, correct, discard, retry
from apps.tenants.entering import TenantRef, entering
from pms_events.context import Context
from pms_events.errors import PermanentError
from pms_events.handlers import Effects, OnDead
from tests.engine.handlers import failing, handler
from tests.model.doing import (
    LEASE,
    claim,
    effects,
    end_lease,
    letters,
    run,
    send,
    send_and_route,
    states,
    take_back,
    write_effect,
)
from tests.model.sides import Side
from tests.processes import eventually

Sides = Callable[..., Side]
_LOCK_HEADS = "FOR KEY SHARE"
_FINISH = "INSERT INTO events_delivery"
_RESCHEDULE = "SET state = 'scheduled'"


def _in(tenant: TenantRef, act: Callable[[], object]) -> Callable[[], object]:
    """Let a side act inside a tenant."""

    def inside() -> object:
        with entering(tenant):
            return act()

    return inside


def _now() -> datetime:
    return datetime.now(UTC)


def test_a_router_whose_found_head_is_settled_looks_again(acme: TenantRef, side: Sides) -> None:
    with handler():
        send_and_route(acme, "1")
        held = claim()
        send(acme, "2")
        routing = side(router.route, before=_LOCK_HEADS)
        routing.wait_until_stopped()
        assert run(held).done == 1
        assert routing.result() == 1
    assert states() == ["ready"]


def test_a_settle_waits_for_the_router_that_queues_behind_its_head(
    acme: TenantRef, side: Sides
) -> None:
    with handler():
        send_and_route(acme, "1")
        held = claim()
        send(acme, "2")
        routing = side(router.route, holds=True)
        routing.wait_until_stopped()
        settling = side(lambda: run(held))
        settling.wait_until_blocked()
        routing.result()
        assert settling.result().done == 1
    assert states() == ["ready"]


def test_a_router_does_not_hide_a_head_from_a_claim(acme: TenantRef, side: Sides) -> None:
    with handler():
        send_and_route(acme, "1")
        send(acme, "2")
        routing = side(router.route, holds=True)
        routing.wait_until_stopped()
        assert len(claim()[1]) == 1
        routing.result()
    assert states() == ["running", "waiting"]


def test_of_two_routers_one_returns_at_once(acme: TenantRef, side: Sides) -> None:
    with handler():
        send(acme, "1", "2")
        first = side(router.route, holds=True)
        first.wait_until_stopped()
        assert side(router.route).result() is None
        assert first.result() == 2
    assert states() == ["ready", "waiting"]


def test_a_worker_stalled_before_its_settling_loses_its_effects_to_the_next(
    acme: TenantRef, side: Sides
) -> None:
    with handler(write_effect):
        send_and_route(acme, "1", "2")
        held = claim()
        stalled = side(lambda: run(held), before=_FINISH)
        stalled.wait_until_stopped()
        take_back(held)
        # The next waits at the unique effect for the stalled one, whose verdict is refused.
        following = side(lambda: run(claim()))
        following.wait_until_blocked()
        assert stalled.result().lost == 1
        assert following.result().done == 1
    assert effects(acme) == ["1"]
    assert states() == ["ready"]
    with entering(acme):
        assert Delivery.objects.values_list("state", "attempts", "crashes").get() == ("done", 2, 1)


def test_a_late_end_at_the_outside_is_refused(acme: TenantRef, side: Sides) -> None:
    with handler(effects=Effects.EXTERNAL):
        send_and_route(acme, "1")
        held = claim()
        stalled = side(lambda: run(held), before=_FINISH)
        stalled.wait_until_stopped()
        take_back(held)
        again = claim()
        assert stalled.result().lost == 1
        assert states() == ["running"]
        assert run(again).done == 1
    with entering(acme):
        assert Delivery.objects.values_list("state", "attempts", "crashes").get() == ("done", 2, 1)


def test_a_late_retry_does_not_take_the_delivery_from_its_new_owner(
    acme: TenantRef, side: Sides
) -> None:
    with handler(failing(1, lambda: ValueError("once")), effects=Effects.EXTERNAL):
        send_and_route(acme, "1")
        held = claim()
        stalled = side(lambda: run(held), before=_RESCHEDULE)
        stalled.wait_until_stopped()
        take_back(held)
        again = claim()
        assert stalled.result().lost == 1
        assert PendingDelivery.objects.values_list("state", "lease", "failures").get() == (
            "running",
            again[0],
            0,
        )
        assert run(again).done == 1


def test_a_late_death_does_not_hold_a_stream_that_another_works_in(
    acme: TenantRef, side: Sides
) -> None:
    with handler(_refuse, effects=Effects.EXTERNAL, on_dead=OnDead.HOLD):
        send_and_route(acme, "1")
        held = claim()
        stalled = side(lambda: run(held), before="SET state = 'held'")
        stalled.wait_until_stopped()
        take_back(held)
        again = claim()
        assert stalled.result().lost == 1
        assert PendingDelivery.objects.values_list("state", "lease").get() == ("running", again[0])
    assert letters(acme) == []


def test_of_a_group_that_lost_one_lease_only_the_rest_takes_effect(acme: TenantRef) -> None:
    with handler(write_effect, ordered=False):
        send_and_route(acme, "1", "2")
        held = claim()
        lost = held[1][0]
        PendingDelivery.objects.filter(id=lost.id).update(lease_until=_now())
        sweeping.sweep()
        tally = run(held)
        assert (tally.done, tally.lost) == (1, 1)
        assert effects(acme) == ["2"]
        assert run(claim()).done == 1
    assert effects(acme) == ["2", "1"]


def test_a_late_release_does_not_take_the_delivery_from_its_new_owner(acme: TenantRef) -> None:
    with handler():
        send_and_route(acme, "1")
        held = claim()
        take_back(held)
        again = claim()
        assert operations.release([d.id for d in held[1]], lease=held[0]) == 0
        assert PendingDelivery.objects.values_list("lease", "attempts").get() == (again[0], 2)


def test_the_sweep_leaves_what_a_guarded_group_has_locked(acme: TenantRef, side: Sides) -> None:
    with handler(failing(1, lambda: ValueError("once"))):
        send_and_route(acme, "1")
        held = claim()
        end_lease(held)
        guarded = side(lambda: run(held), after="FOR NO KEY UPDATE")
        guarded.wait_until_stopped()
        sweeping.sweep()
        assert guarded.result().done == 1
    with entering(acme):
        assert Delivery.objects.values_list("state", "attempts", "crashes").get() == ("done", 1, 0)


def test_two_claims_at_once_share_the_work_and_wait_for_nobody(
    acme: TenantRef, side: Sides
) -> None:
    with handler(ordered=False):
        send_and_route(acme, "1", "2", "3", "4")
        first = side(lambda: claim(2), holds=True)
        first.wait_until_stopped()
        second = side(lambda: claim(10)).result()[1]
        ours = first.result()[1]
    assert (len(ours), len(second)) == (2, 2)
    assert {d.id for d in ours}.isdisjoint(d.id for d in second)


def test_two_sweeps_at_once_count_a_crash_once(acme: TenantRef, side: Sides) -> None:
    with handler():
        send_and_route(acme, "1")
        held = claim()
        end_lease(held)
        first = side(lambda: expire_leases(lease_for=LEASE), holds=True)
        first.wait_until_stopped()
        second = side(lambda: expire_leases(lease_for=LEASE))
        assert second.result()[2] == set()
        assert first.result()[2] == {"automation"}
    assert PendingDelivery.objects.values_list("crashes", "attempts").get() == (1, 1)


def _one_dead(tenant: TenantRef, *ids: str) -> list[DeadLetter]:
    """Let deliveries of one stream die for good; gives their dead letters."""
    send_and_route(tenant, *ids)
    while run(claim()).dead:
        pass
    return letters(tenant)


def _refuse(payload: object, context: object) -> None:
    raise PermanentError("no")


def _refuse_the_first(payload: object, context: Context) -> None:
    if context.event.id == "1":
        raise PermanentError("no")


def _retry(tenant: TenantRef, letter: DeadLetter, *, actor: str = "ann") -> Callable[[], object]:
    return _in(tenant, lambda: retry([letter], actor=actor, now=_now()))


def test_of_two_people_who_retry_at_once_the_second_is_told(acme: TenantRef, side: Sides) -> None:
    with handler(_refuse):
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
    with handler(_refuse):
        letter = _one_dead(acme, "1")[0]
        first = side(
            _in(acme, lambda: discard([letter], actor="ann", note="stale", now=_now())), holds=True
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
    with handler(_refuse):
        letter = _one_dead(acme, "1")[0]
        first = side(
            _in(acme, lambda: correct(letter, data={"n": 2}, actor="ann", now=_now())), holds=True
        )
        first.wait_until_stopped()
        second = side(_in(acme, lambda: correct(letter, data={"n": 3}, actor="bob", now=_now())))
        second.wait_until_blocked()
        first.result()
        with pytest.raises(AlreadyDecided):
            second.result()
    assert Arrival.objects.count() == 1


def test_a_correction_that_is_not_committed_is_routed_after_it_is(
    acme: TenantRef, side: Sides
) -> None:
    with handler(_refuse):
        letter = _one_dead(acme, "1")[0]
        correcting = side(
            _in(acme, lambda: correct(letter, data={"n": 2}, actor="ann", now=_now())), holds=True
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
        settling = side(lambda: run(held), before="SET state = 'ready'")
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
    with handler(_refuse):
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
    with handler(_refuse):
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
    with handler(_refuse):
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


def _pause(category: str = "automation") -> Cap:
    return set_cap(category=category, by="ann", now=_now())


def test_a_pause_beside_a_claim_keeps_back_what_was_not_claimed(
    acme: TenantRef, side: Sides
) -> None:
    with handler(ordered=False):
        send_and_route(acme, "1", "2", "3")
        claiming = side(lambda: claim(2), after="FROM picked WHERE")
        claiming.wait_until_stopped()
        cap = _pause()
        assert claim()[1] == []
        assert run(claiming.result()).done == 2
        remove_cap(cap)
        assert run(claim()).done == 1
    assert states() == []


def test_a_pause_that_is_not_committed_holds_nobody_up(acme: TenantRef, side: Sides) -> None:
    with handler():
        send_and_route(acme, "1")
        pausing = side(_pause, holds=True)
        pausing.wait_until_stopped()
        assert len(side(claim).result()[1]) == 1
        pausing.result()


def test_two_claims_at_once_under_a_limit_do_not_pass_it(acme: TenantRef, side: Sides) -> None:
    with handler(ordered=False):
        send_and_route(acme, "1", "2", "3")
        set_cap(category="automation", at_most=2, by="ann", now=_now())
        first = side(lambda: claim(1), holds=True)
        first.wait_until_stopped()
        second = side(lambda: claim(10))
        second.wait_until_blocked()
        taken = len(first.result()[1]) + len(second.result()[1])
    assert taken == 2
    assert sorted(states()) == ["paused", "running", "running"]


def test_a_resume_beside_a_claim_that_parks_strands_nothing(acme: TenantRef, side: Sides) -> None:
    with handler(ordered=False):
        send_and_route(acme, "1", "2")
        cap = set_cap(handler="test.handler", by="ann", now=_now())
        parking = side(claim, holds=True)
        parking.wait_until_stopped()
        remove_cap(cap)
        parking.result()
        assert states() == ["paused", "paused"]
        sweeping.sweep()
        assert run(claim()).done == 2


def test_of_two_steps_of_a_replay_at_once_one_is_taken(acme: TenantRef, side: Sides) -> None:
    with handler():
        send_and_route(acme, "1", "2")
        with entering(acme):
            replay = start_replay(
                EventFilter(), handler_names=None, include_external=False, rate=None,
                requested_by="ann", reason="", now=_now(),
            )  # fmt: skip
        step = _in(acme, lambda: step_replay(replay.pk, now=_now()))
        first = side(step, holds=True)
        first.wait_until_stopped()
        assert side(step).result() is None
        assert first.result().replayed == 2
    assert Arrival.objects.count() == 2


def test_a_coalescing_claim_beside_the_router_supersedes_what_it_saw(
    acme: TenantRef, side: Sides
) -> None:
    with handler(write_effect, coalesce=True):
        send_and_route(acme, "1", "2")
        held = claim()
        send(acme, "3")
        routing = side(router.route, holds=True)
        routing.wait_until_stopped()
        running = side(lambda: run(held))
        running.wait_until_blocked()
        routing.result()
        running.result()
        run(claim())
    assert effects(acme) == ["2", "3"]
    with entering(acme):
        assert sorted(Delivery.objects.values_list("state", flat=True)) == [
            "done",
            "done",
            "superseded",
        ]


def test_a_discard_beside_the_router_lets_the_held_stream_go_on(
    acme: TenantRef, side: Sides
) -> None:
    with handler(_refuse, on_dead=OnDead.HOLD):
        letter = _one_dead(acme, "1")[0]
        assert states() == ["held"]
        send(acme, "2")
        routing = side(router.route, holds=True)
        routing.wait_until_stopped()
        discarding = side(
            _in(acme, lambda: discard([letter], actor="ann", note="stale", now=_now()))
        )
        discarding.wait_until_blocked()
        routing.result()
        assert discarding.result() == 1
    assert states() == ["ready"]


def test_a_correction_beside_the_router_keeps_the_place_of_what_it_corrects(
    acme: TenantRef, side: Sides
) -> None:
    with handler(_refuse, on_dead=OnDead.HOLD):
        letter = _one_dead(acme, "1")[0]
        send(acme, "2")
        correcting = side(
            _in(acme, lambda: correct(letter, data={"n": 2}, actor="ann", now=_now())), holds=True
        )
        correcting.wait_until_stopped()
        assert router.route() == 1
        assert states() == ["held", "waiting"]
        uid = correcting.result()
        assert router.route() == 1
    in_order = PendingDelivery.objects.order_by("id").values_list("event_uid", "state")
    assert [state for _, state in in_order] == ["waiting", "ready"]
    assert in_order[1][0] == uid
