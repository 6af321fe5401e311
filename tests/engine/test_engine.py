"""The way of an event through the engine, in this process, on the real tables."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction

from apps.dispatch.claiming import claim
from apps.dispatch.models import Arrival, Lane, PendingDelivery, RefusedDelivery, State
from apps.engine import router, working
from apps.events.models import Delivery, Event
from apps.events.queries import get_stories
from apps.fallback.models import DeadLetter
from apps.properties.models import Property
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.errors import PermanentError
from pms_events.outcomes import Discard, Snooze
from pms_events.publishing import Receipt, publish_many
from pms_events.retry import Retry
from tests.engine.handlers import failing, handler


def send(
    tenant: TenantRef, *ids: str, subject: str = "", type: str = "custom.thing"
) -> list[Receipt]:
    """Publish custom events in a tenant."""
    with entering(tenant):
        return publish_many(
            [Envelope(id=i, source="test", type=type, subject=subject, data={"n": i}) for i in ids]
        )


def test_an_event_is_routed_run_and_settled(acme: TenantRef, run_all: Callable[..., int]) -> None:
    with handler() as seen:
        receipt = send(acme, "1")[0]
        assert run_all() == 1
    assert [c.event.uid for c in seen] == [receipt.uid]
    assert PendingDelivery.objects.count() == 0
    assert Arrival.objects.count() == 0
    with entering(acme):
        assert get_stories([receipt.uid])[receipt.uid].state == "done"
        assert Delivery.objects.values_list("handler", "state", "attempts").get() == (
            "test.handler",
            "done",
            1,
        )


def test_a_rolled_back_publish_leaves_nothing(acme: TenantRef) -> None:
    with entering(acme):
        with pytest.raises(RuntimeError):
            _publish_and_fail()
        assert Event.objects.count() == 0
    assert Arrival.objects.count() == 0


def _publish_and_fail() -> None:
    with transaction.atomic():
        publish_many([Envelope(id="1", source="test", type="custom.a", data={})])
        raise RuntimeError


def test_the_same_event_again_is_a_duplicate_and_another_body_a_conflict(acme: TenantRef) -> None:
    first = Envelope(id="1", source="test", type="custom.a", data={"a": 1})
    other = Envelope(id="1", source="test", type="custom.a", data={"a": 2})
    with entering(acme):
        kept = publish_many([first])[0]
        receipts = publish_many([first, other])
    assert [(r.status, r.uid) for r in receipts] == [
        ("duplicate", kept.uid),
        ("conflict", kept.uid),
    ]
    assert Arrival.objects.count() == 1


def test_two_tenants_with_equal_ids_never_meet(
    acme: TenantRef, harbor: TenantRef, run_all: Callable[..., int]
) -> None:
    with handler() as seen:
        a, h = send(acme, "1")[0], send(harbor, "1")[0]
        run_all()
    assert {(c.tenant, c.event.uid) for c in seen} == {("acme", a.uid), ("harbor", h.uid)}
    for tenant, uid in ((acme, a.uid), (harbor, h.uid)):
        with entering(tenant):
            assert list(Delivery.objects.values_list("event_uid", flat=True)) == [uid]


def test_a_failure_is_retried_and_its_attempt_is_told(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    with handler(failing(2, lambda: ValueError("not yet"))) as seen:
        receipt = send(acme, "1")[0]
        run_all(also_scheduled=True)
    # The first failure of a group undoes the group, which then runs again with savepoints.
    assert {c.attempt for c in seen} == {1, 2}
    with entering(acme):
        story = get_stories([receipt.uid], with_attempts=True)[receipt.uid]
    assert story.state == "done"
    assert [a.error_class for a in next(iter(story.attempts.values()))] == ["ValueError"]


def test_a_failure_in_a_batch_undoes_only_its_own_effects(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    def write(payload: object, context: object) -> None:
        ref = context.event.id  # type: ignore[attr-defined]
        Property.objects.create(ref=ref, name=ref)
        if ref == "2":
            raise ValueError("two is bad")

    with handler(write, retry=Retry(attempts=1)):
        send(acme, "1", "2", "3")
        run_all()
    with entering(acme):
        assert sorted(Property.objects.values_list("ref", flat=True)) == ["1", "3"]
        assert DeadLetter.objects.values_list("reason", "error_class", "attempts").get() == (
            "exhausted",
            "ValueError",
            1,
        )


def test_a_permanent_error_is_not_retried(acme: TenantRef, run_all: Callable[..., int]) -> None:
    def refuse(payload: object, context: object) -> None:
        raise PermanentError("no such thing")

    with handler(refuse, retry=Retry(attempts=5)):
        receipt = send(acme, "1")[0]
        run_all()
    with entering(acme):
        letter = DeadLetter.objects.get()
        assert (letter.reason, letter.message, letter.attempts) == ("permanent", "no such thing", 1)
        assert get_stories([receipt.uid])[receipt.uid].state == "failed"


def test_a_snooze_uses_no_attempt_and_a_discard_ends_it(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    answers = [Snooze(timedelta(minutes=5)), Discard("stale")]
    with handler(lambda payload, context: answers.pop(0)) as seen:
        receipt = send(acme, "1")[0]
        run_all(also_scheduled=True)
    assert [c.attempt for c in seen] == [1, 1]
    with entering(acme):
        assert get_stories([receipt.uid])[receipt.uid].state == "discarded"
        assert Delivery.objects.get().note == "stale"


def test_a_stream_runs_in_order_while_its_head_retries(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    with handler(failing(2, lambda: ValueError("later"))) as seen:
        send(acme, "1", "2", subject="room")
        send(acme, "3", subject="room")
        send(acme, "x", subject="other")
        router.route()
        working.work("automation")
        assert sorted(PendingDelivery.objects.values_list("state", flat=True)) == [
            State.SCHEDULED,
            State.WAITING,
            State.WAITING,
        ]
        run_all(also_scheduled=True)
    order = list(dict.fromkeys(c.event.id for c in seen if c.event.subject == "room"))
    assert order == ["1", "2", "3"]


def test_an_unknown_type_ends_before_a_person(acme: TenantRef, run_all: Callable[..., int]) -> None:
    receipt = send(acme, "1", type="martian.landed")[0]
    run_all()
    with entering(acme):
        letter = DeadLetter.objects.get()
        assert (letter.reason, letter.event_uid) == ("unknown_type", receipt.uid)


def test_an_event_without_handlers_is_done_and_says_so(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    receipt = send(acme, "1")[0]
    run_all()
    with entering(acme):
        story = get_stories([receipt.uid])[receipt.uid]
    assert (story.state, story.has_route) == ("done", False)


def test_a_lost_lease_settles_nothing(acme: TenantRef) -> None:
    def lose(payload: object, context: object) -> None:
        Property.objects.create(ref="effect", name="effect")

    with handler(lose):
        send(acme, "1")
        router.route()
        lease, batch = claim(
            "automation", lane=Lane.LIVE, limit=10, lease_for=timedelta(seconds=60)
        )
        PendingDelivery.objects.update(state=State.READY, lease=None, lease_until=None)
        tally = working.run_batch(batch, lease=lease)
    assert (tally.lost, tally.done) == (1, 0)
    with entering(acme):
        assert Property.objects.count() == 0
        assert Delivery.objects.count() == 0


def test_a_delivery_of_a_tenant_that_does_not_exist_is_refused(acme: TenantRef) -> None:
    with handler() as seen:
        send(acme, "1")
        Arrival.objects.update(tenant_id=999_999)
        router.route()
        working.work("automation")
    assert seen == []
    assert RefusedDelivery.objects.get().tenant_id == 999_999
    assert PendingDelivery.objects.count() == 0
