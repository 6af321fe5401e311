"""Order beyond the usual: dead heads that hold their stream, and handlers that coalesce."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from apps.dispatch.models import PendingDelivery, State
from apps.engine import router, sweeping, working
from apps.events.filters import EventFilter
from apps.events.models import Delivery
from apps.events.queries import get_stories
from apps.events.replaying import start_replay, step_replay
from apps.fallback.models import DeadLetter, DeadLetterState
from apps.fallback.operations import correct, discard, retry
from apps.fallback.queries import count_behind_each
from apps.tenants.entering import TenantRef, entering
from pms_events.context import Context
from pms_events.envelope import Envelope
from pms_events.errors import PermanentError, RegistryError
from pms_events.handlers import OnDead
from pms_events.publishing import publish_many
from pms_events.retry import Retry
from tests.engine.handlers import handler


def send(tenant: TenantRef, *ids: str, stream: str = "room") -> None:
    with entering(tenant):
        publish_many(
            [
                Envelope(id=i, source="t", type="custom.a", subject=stream, data={"n": i})
                for i in ids
            ]
        )


def refuse_bad(payload: Any, context: Context) -> None:
    if str(context.event.data["n"]).startswith("bad"):
        raise PermanentError("bad is refused")


@pytest.fixture
def holding() -> Iterator[list[Context]]:
    """A handler that refuses what is bad, and holds its stream then."""
    with handler(refuse_bad, on_dead=OnDead.HOLD) as seen:
        yield seen


def names(seen: list[Context]) -> list[str]:
    """What ran, in order; the guarded second run of a failed group counts once."""
    return list(dict.fromkeys(str(context.event.data["n"]) for context in seen))


def test_a_dead_head_holds_its_stream_and_no_other(
    acme: TenantRef, harbor: TenantRef, run_all: Callable[..., int], holding: list[Context]
) -> None:
    send(acme, "bad", "2", "3")
    send(acme, "x", stream="other")
    send(harbor, "h")
    run_all()
    assert sorted(names(holding)) == ["bad", "h", "x"]
    states = PendingDelivery.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == [State.HELD, State.WAITING, State.WAITING]
    with entering(acme):
        letter = DeadLetter.objects.get()
        assert count_behind_each([letter]) == {letter.pk: 2}
        event = letter.event_uid
        assert get_stories([event])[event].state == "failed"


def test_a_held_stream_goes_on_when_its_head_is_discarded(
    acme: TenantRef, run_all: Callable[..., int], holding: list[Context]
) -> None:
    send(acme, "bad", "2", "3")
    run_all()
    with entering(acme):
        discard([DeadLetter.objects.get()], actor="ada", note="never mind", now=timezone.now())
    run_all()
    assert names(holding) == ["bad", "2", "3"]
    assert PendingDelivery.objects.count() == 0


def test_a_held_head_that_is_retried_runs_before_those_behind_it(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    broken = [True]

    def run(payload: Any, context: Context) -> None:
        if broken and context.event.data["n"] == "1":
            raise PermanentError("the lock's battery is empty")

    with handler(run, on_dead=OnDead.HOLD) as seen:
        send(acme, "1", "2")
        run_all()
        broken.clear()
        seen.clear()
        with entering(acme):
            retry([DeadLetter.objects.get()], actor="ada", now=timezone.now())
        run_all()
        assert names(seen) == ["1", "2"]
    with entering(acme):
        assert DeadLetter.objects.get().state == DeadLetterState.RESOLVED
        assert list(Delivery.objects.values_list("state", flat=True)) == ["done", "done"]


def test_a_correction_takes_the_place_of_the_head_that_it_corrects(
    acme: TenantRef, run_all: Callable[..., int], holding: list[Context]
) -> None:
    send(acme, "bad", "2")
    run_all()
    with entering(acme):
        correct(DeadLetter.objects.get(), data={"n": "good"}, actor="ada", now=timezone.now())
    send(acme, "3")
    # Until the router has seen the correction, the head keeps the stream.
    working.work("automation")
    assert names(holding) == ["bad"]
    run_all()
    assert names(holding) == ["bad", "good", "2", "3"]
    assert PendingDelivery.objects.count() == 0


def test_a_retry_that_dies_again_holds_again(
    acme: TenantRef, run_all: Callable[..., int], holding: list[Context]
) -> None:
    send(acme, "bad", "2")
    run_all()
    with entering(acme):
        retry([DeadLetter.objects.get()], actor="ada", now=timezone.now())
    run_all()
    assert names(holding) == ["bad"]
    with entering(acme):
        letter = DeadLetter.objects.get()
        assert (letter.state, letter.deaths) == (DeadLetterState.OPEN, 2)


def test_a_head_that_crashed_too_often_holds_its_stream(
    acme: TenantRef, run_all: Callable[..., int], holding: list[Context]
) -> None:
    send(acme, "poison", "2")
    router.route()
    PendingDelivery.objects.filter(state=State.READY).update(
        state=State.RUNNING, lease="00000000-0000-0000-0000-000000000001", crashes=2,
        runs_alone=True, lease_until=timezone.now(),
    )  # fmt: skip
    sweeping.sweep()
    states = PendingDelivery.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == [State.HELD, State.WAITING]
    assert holding == []


def test_by_default_a_dead_head_releases_its_stream(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    with handler(refuse_bad) as seen:
        send(acme, "bad", "2")
        run_all()
    assert names(seen) == ["bad", "2"]


def test_a_coalescing_handler_runs_with_the_newest_and_settles_the_rest(
    acme: TenantRef, harbor: TenantRef, run_all: Callable[..., int]
) -> None:
    with handler(coalesce=True) as seen:
        send(acme, "1", "2", "3", "4")
        send(acme, "x", stream="other")
        send(harbor, "h")
        assert run_all() == 6
    assert sorted(names(seen)) == ["4", "h", "x"]
    with entering(acme):
        ended = list(Delivery.objects.order_by("id").values_list("state", "attempts", "note"))
        newest = Delivery.objects.get(state="done", event_uid=seen[0].event.uid)
    note = f"superseded by delivery {newest.id}"
    assert ended[:4] == [("superseded", 0, note)] * 3 + [("done", 1, "")]
    assert PendingDelivery.objects.count() == 0


def test_a_retry_of_a_coalescing_head_gives_way_to_what_came_meanwhile(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    broken = [True]

    def run(payload: Any, context: Context) -> None:
        if broken:
            raise ConnectionError("the channel is away")

    with handler(run, coalesce=True, retry=Retry(attempts=5)) as seen:
        send(acme, "1")
        run_all()
        send(acme, "2", "3")
        router.route()
        broken.clear()
        run_all(also_scheduled=True)
    assert names(seen) == ["1", "3"]
    with entering(acme):
        states = Delivery.objects.order_by("id").values_list("state", flat=True)
        assert list(states) == ["superseded", "superseded", "done"]


def test_a_retried_dead_letter_that_is_superseded_is_resolved(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    with handler(refuse_bad, coalesce=True):
        send(acme, "bad")
        run_all()
        send(acme, "2", "3")
        router.route()
        with entering(acme):
            retry([DeadLetter.objects.get()], actor="ada", now=timezone.now())
        run_all()
    with entering(acme):
        assert DeadLetter.objects.get().state == DeadLetterState.RESOLVED
        states = Delivery.objects.order_by("id").values_list("state", flat=True)
        assert set(states) == {"superseded", "done"}


def test_a_handler_without_order_can_neither_hold_nor_coalesce() -> None:
    for options in ({"coalesce": True}, {"on_dead": OnDead.HOLD}):
        with pytest.raises(RegistryError, match="need ordered=True"):
            with handler(ordered=False, **options):  # type: ignore[arg-type]
                raise AssertionError("it was registered")


def test_a_correction_of_a_released_head_goes_before_those_that_still_wait(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    def run(payload: Any, context: Context) -> None:
        if context.event.data["n"] == "bad":
            raise PermanentError("no")
        if context.event.data["n"] == "2" and context.attempt == 1:
            raise ConnectionError("later")

    with handler(run, retry=Retry(attempts=5)) as seen:
        send(acme, "bad", "2", "3")
        run_all()
        with entering(acme):
            correct(DeadLetter.objects.get(), data={"n": "good"}, actor="ada", now=timezone.now())
        router.route()
        run_all(also_scheduled=True)
    assert names(seen) == ["bad", "2", "good", "3"]


def test_a_retry_of_a_replay_s_delivery_stays_inside(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    with handler() as first:
        send(acme, "bad")
        run_all()
    with handler(refuse_bad) as seen, entering(acme):
        replay = start_replay(
            EventFilter(type="custom.a"), handler_names=None, include_external=False, rate=None,
            requested_by="ada", reason="", now=timezone.now(),
        )  # fmt: skip
        step_replay(replay.pk, now=timezone.now())
        run_all()
        retry([DeadLetter.objects.get()], actor="ada", now=timezone.now())
        run_all()
    assert first[0].include_external
    assert {(context.include_external, context.is_replay) for context in seen} == {(False, True)}
