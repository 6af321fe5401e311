"""Two at once at each dangerous point, on connections of their own, step by step."""

from apps.dispatch import operations
from apps.dispatch.caps import remove_cap, set_cap
from apps.dispatch.locks import Lock, wait_for
from apps.dispatch.models import Arrival, Cap, PendingDelivery
from apps.dispatch.sweeping import expire_leases
from apps.engine import router, sweeping
from apps.events.filters import EventFilter
from apps.events.models import Delivery
from apps.events.replaying import start_replay, step_replay
from apps.tenants.entering import TenantRef, entering
from pms_events.categories import Category
from pms_events.handlers import Effects, OnDead
from tests.engine.handlers import failing, handler
from tests.model.doing import (
    LEASE,
    claim,
    effects,
    end_lease,
    inside,
    letters,
    now,
    refuse,
    run,
    send,
    send_and_route,
    states,
    take_back,
    write_effect,
)
from tests.model.sides import Sides

_LOCK_HEADS = "FOR KEY SHARE"
_FINISH = "INSERT INTO events_delivery"
_RESCHEDULE = "SET state = 'scheduled'"


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


def test_a_late_death_does_not_hold_a_stream_that_another_worksinside(
    acme: TenantRef, side: Sides
) -> None:
    with handler(refuse, effects=Effects.EXTERNAL, on_dead=OnDead.HOLD):
        send_and_route(acme, "1")
        held = claim()
        stalled = side(lambda: run(held), before="SET state = 'held'")
        stalled.wait_until_stopped()
        take_back(held)
        again = claim()
        assert stalled.result().lost == 1
        assert PendingDelivery.objects.values_list("state", "lease").get() == ("running", again[0])
    assert letters(acme) == []


def test_a_late_coalescing_worker_supersedes_nothing(acme: TenantRef) -> None:
    with handler(write_effect, coalesce=True):
        send_and_route(acme, "1", "2")
        held = claim()
        take_back(held)
        again = claim()
        run(held)
        assert states() == ["running", "waiting"]
        assert PendingDelivery.objects.filter(lease=again[0]).count() == 1
    assert effects(acme) == []


def test_of_a_group_that_lost_one_lease_only_the_rest_takes_effect(acme: TenantRef) -> None:
    with handler(write_effect, ordered=False):
        send_and_route(acme, "1", "2")
        held = claim()
        lost = held[1][0]
        PendingDelivery.objects.filter(id=lost.id).update(lease_until=now())
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


def _pause(category: str = "automation") -> Cap:
    return set_cap(category=category, by="ann", now=now())


def test_a_pause_beside_a_claim_keeps_back_what_was_not_claimed(
    acme: TenantRef, side: Sides
) -> None:
    with handler(ordered=False):
        send_and_route(acme, "1", "2", "3")
        claiming = side(lambda: claim(2), after="SELECT * FROM leased")
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
        set_cap(category="automation", at_most=2, by="ann", now=now())
        first = side(lambda: claim(1), holds=True)
        first.wait_until_stopped()
        second = side(lambda: claim(10))
        second.wait_until_blocked()
        taken = len(first.result()[1]) + len(second.result()[1])
    assert taken == 2
    assert sorted(states()) == ["paused", "running", "running"]


def test_a_limit_of_a_handler_of_another_category_makes_no_claim_wait(
    acme: TenantRef, harbor: TenantRef, side: Sides
) -> None:
    with handler(ordered=False), handler(name="test.other", category=Category.MESSAGING):
        send_and_route(harbor, "1", "2")
        set_cap(handler="test.other", tenant_id=acme.id, at_most=1, by="ann", now=now())
        another = side(lambda: wait_for(Lock.CLAIM_WITHIN_LIMITS), holds=True)
        another.wait_until_stopped()
        automation = side(lambda: claim(1))
        assert len(automation.result()[1]) == 1
        messaging = side(lambda: claim(1, category="messaging"))
        messaging.wait_until_blocked()
        another.result()
        assert len(messaging.result()[1]) == 1


def test_a_resume_beside_a_claim_that_parks_strands_nothing(acme: TenantRef, side: Sides) -> None:
    with handler(ordered=False):
        send_and_route(acme, "1", "2")
        cap = set_cap(handler="test.handler", by="ann", now=now())
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
                requested_by="ann", reason="", now=now(),
            )  # fmt: skip
        step = inside(acme, lambda: step_replay(replay.pk, now=now()))
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
