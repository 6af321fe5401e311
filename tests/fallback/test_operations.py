"""Deciding dead letters: each once, on the record, and the original stays as it was."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.dispatch.claiming import claim
from apps.dispatch.models import Lane, PendingDelivery, State
from apps.dispatch.queries import get_backlog
from apps.dispatch.sampling import get_waiting, take_sample
from apps.dispatch.sweeping import expire_leases, make_due
from apps.engine import router, working
from apps.events.models import Delivery, Event
from apps.events.queries import get_stories
from apps.events.story import tell
from apps.fallback import operations
from apps.fallback.alerting import DIED
from apps.fallback.correcting import CannotCorrect
from apps.fallback.models import DeadLetter, Review
from apps.tenants.entering import TenantRef, entering
from pms_events.categories import AUTOMATION, P2
from pms_events.envelope import Envelope
from pms_events.errors import InvalidEvent, PermanentError
from pms_events.event_types import EventType, catalogue
from pms_events.payloads import Payload
from pms_events.publishing import publish_many
from tests.engine.handlers import handler
from tests.fallback.conftest import booking

Die = Callable[..., list[DeadLetter]]
RunAll = Callable[..., int]
NOW = datetime(2027, 1, 1, tzinfo=UTC)


def test_a_retry_runs_the_same_delivery_again_and_resolves_it(
    acme: TenantRef, die: Die, run_all: RunAll, build: Callable[..., None]
) -> None:
    letter = die(acme, "1")[0]
    build(acme, "nowhere")
    with entering(acme):
        assert operations.retry([letter], actor="ann", note="made it", now=NOW) == 1
    assert PendingDelivery.objects.get().id == letter.delivery_id
    run_all()
    with entering(acme):
        letter.refresh_from_db()
        assert letter.state == "resolved"
        assert Delivery.objects.get(id=letter.delivery_id).state == "done"
        assert Review.objects.values_list("action", "actor", "note", "diff").get() == (
            "retry",
            "ann",
            "made it",
            None,
        )


def test_a_retry_that_dies_again_opens_the_same_dead_letter_again(
    acme: TenantRef, die: Die, run_all: RunAll
) -> None:
    letter = die(acme, "1")[0]
    with entering(acme):
        operations.retry([letter], actor="ann", now=NOW)
    run_all()
    with entering(acme):
        again = DeadLetter.objects.get()
        assert (again.pk, again.state, again.deaths) == (letter.pk, "open", 2)


def test_a_correction_leaves_the_original_and_publishes_an_event_for_the_failed_handler_only(
    acme: TenantRef, die: Die, run_all: RunAll, build: Callable[..., None]
) -> None:
    letter = die(acme, "1")[0]
    build(acme, "seaview")
    fixed = booking("1", property_id="seaview")
    with entering(acme):
        before = Event.objects.filter(uid=letter.event_uid).values().get()
        uid = operations.correct(letter, data=fixed, actor="ann", note="typo", now=NOW)
        assert Event.objects.filter(uid=letter.event_uid).values().get() == before
    with handler(types=("booking.created",), name="test.other") as others:
        run_all()
    assert others == []
    with entering(acme):
        event = Event.objects.get(uid=uid)
        assert (event.causation, event.data, event.type, event.source) == (
            letter.event_uid,
            fixed,
            "booking.created",
            "test",
        )
        assert get_stories([uid])[uid].state == "done"
        assert get_stories([letter.event_uid])[letter.event_uid].state == "discarded"
        letter.refresh_from_db()
        assert (letter.state, letter.correction_uid, letter.decided_by) == ("corrected", uid, "ann")
        assert Review.objects.get().diff == [
            {"pointer": "/property_id", "before": "nowhere", "after": "seaview"}
        ]


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ([], "#/data"),
        (booking("1"), "#/data"),
        ({**booking("1"), "status": "sold"}, "#/data/status"),
        ({**booking("1"), "note": "x" * 300_000}, "#/data"),
    ],
)
def test_a_correction_that_does_not_fit_changes_nothing(
    acme: TenantRef, die: Die, data: Any, pointer: str
) -> None:
    letter = die(acme, "1")[0]
    with entering(acme):
        with pytest.raises(InvalidEvent) as caught:
            operations.correct(letter, data=data, actor="ann", now=NOW)
        assert [error.pointer for error in caught.value.errors] == [pointer]
        letter.refresh_from_db()
        assert (letter.state, Event.objects.count(), Review.objects.count()) == ("open", 1, 0)


def test_a_correction_for_a_handler_that_is_gone_is_refused(
    acme: TenantRef, run_all: RunAll
) -> None:
    with handler(_refuse), entering(acme):
        publish_many([Envelope(id="1", source="test", type="custom.a", data={"a": 1})])
        run_all()
    with entering(acme):
        letter = DeadLetter.objects.get()
        with pytest.raises(CannotCorrect, match=r"No handler is named 'test\.handler'"):
            operations.correct(letter, data={"a": 2}, actor="ann", now=NOW)
        assert DeadLetter.objects.get().state == "open"
        assert not Event.objects.filter(causation=letter.event_uid).exclude(type=DIED).exists()


def test_of_two_people_at_once_one_is_told_and_one_delivery_is_owed(
    acme: TenantRef, die: Die
) -> None:
    letter = die(acme, "1")[0]
    told: list[str] = []
    start = threading.Barrier(2)

    def decide(actor: str) -> None:
        try:
            with entering(acme):
                connection.ensure_connection()
                start.wait()
                operations.retry([letter], actor=actor, now=NOW)
                told.append("done")
        except operations.AlreadyDecided as error:
            told.append(str(error))
        finally:
            connection.close()

    people = [threading.Thread(target=decide, args=(name,)) for name in ("ann", "bob")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert PendingDelivery.objects.count() == 1
    assert len(told) == 2
    assert told.count("done") == 1
    assert any("is already being retried" in said for said in told)
    with entering(acme):
        assert Review.objects.count() == 1


def test_a_retried_delivery_goes_behind_the_running_one_of_its_stream_and_before_the_waiting(
    acme: TenantRef, run_all: RunAll
) -> None:
    is_broken = True

    def run(payload: object, context: object) -> None:
        if is_broken:
            _refuse_now()

    with handler(run) as seen:
        _send(acme, "1")
        run_all()
        is_broken = False
        _send(acme, "2", "3")
        router.route()
        PendingDelivery.objects.filter(state=State.READY).update(
            state=State.SCHEDULED, due_at=NOW.replace(year=2099)
        )  # the head of the stream is busy
        with entering(acme):
            letter = DeadLetter.objects.get()
            operations.retry([letter], actor="ann", now=NOW)
        states = dict(PendingDelivery.objects.values_list("id", "state"))
        assert states[letter.delivery_id] == State.WAITING
        assert list(states.values()).count(State.SCHEDULED) == 1
        assert list(states.values()).count(State.WAITING) == 2
        working.work("automation")
        run_all(also_scheduled=True)
    assert list(dict.fromkeys(c.event.id for c in seen)) == ["1", "2", "3"]
    assert [c.event.id for c in seen][-3:] == ["2", "1", "3"]


def test_a_retried_delivery_waits_since_it_was_retried(acme: TenantRef, die: Die) -> None:
    letter = die(acme, "1")[0]
    last_week = letter.accepted_at - timedelta(days=7)
    with entering(acme):
        DeadLetter.objects.update(accepted_at=last_week)
        letter.refresh_from_db()
        before = timezone.now()
        operations.retry([letter], actor="ann", now=before)
        event = Event.objects.get(uid=letter.event_uid)

    def told() -> tuple[str, bool, bool]:
        """The state, and whether the sample and who counts now say that it waits since the retry."""
        now = timezone.now()
        take_sample(now=now)
        sampled = get_waiting(acme.id)["bookings"].oldest_at
        wait = get_backlog(acme.id, now=now)["bookings"]["oldest_wait_seconds"]
        in_time = sampled is not None and before <= sampled <= now
        return (
            PendingDelivery.objects.get().state,
            in_time,
            0 < wait <= (now - before).total_seconds(),
        )

    assert told() == ("ready", True, True)
    with entering(acme):
        assert [way.due_at for way in tell(event, now=before).ways if not way.is_over] == [None]
    _, claimed = claim("bookings", lane=Lane.LIVE, limit=1, lease_for=timedelta(minutes=1))
    assert [c.accepted_at for c in claimed] == [last_week]
    assert told() == ("running", True, True)
    PendingDelivery.objects.update(lease_until=before)
    expire_leases(lease_for=timedelta(minutes=1))
    assert told() == ("ready", True, True)
    PendingDelivery.objects.update(due_at=None)
    wait = get_backlog(acme.id, now=before)["bookings"]["oldest_wait_seconds"]
    assert wait == (before - last_week).total_seconds()


def test_what_failed_waits_since_its_next_attempt_was_due(acme: TenantRef, run_all: RunAll) -> None:
    def fail(payload: object, context: object) -> None:
        raise RuntimeError("away")

    with handler(fail):
        _send(acme, "1")
        run_all()
        due_at = timezone.now() - timedelta(seconds=5)
        last_week = due_at - timedelta(days=7)
        PendingDelivery.objects.update(accepted_at=last_week, due_at=due_at)
        make_due()
        now = timezone.now()
        wait = get_backlog(acme.id, now=now)["automation"]["oldest_wait_seconds"]
    assert PendingDelivery.objects.get().state == State.READY
    assert wait == (now - due_at).total_seconds()


def test_a_discard_needs_a_note(acme: TenantRef, die: Die) -> None:
    letter = die(acme, "1")[0]
    with entering(acme):
        with pytest.raises(operations.NoteMissing):
            operations.discard([letter], actor="ann", note="  ", now=NOW)
        letter.refresh_from_db()
        assert (letter.state, Review.objects.count()) == ("open", 0)
        assert operations.discard([letter], actor="ann", note="test booking", now=NOW) == 1
        letter.refresh_from_db()
        assert (letter.state, letter.note) == ("discarded", "test booking")
        assert Delivery.objects.get().note == "discarded by ann: test booking"


def test_a_decided_dead_letter_is_not_decided_again(acme: TenantRef, die: Die) -> None:
    letter = die(acme, "1")[0]
    fixed = booking("1", property_id="seaview")
    with entering(acme):
        operations.discard([letter], actor="ann", note="no", now=NOW)
        with pytest.raises(operations.AlreadyDecided, match=r"already discarded \(by ann\)"):
            operations.retry([letter], actor="bob", now=NOW)
        with pytest.raises(operations.AlreadyDecided):
            operations.correct(letter, data=fixed, actor="bob", now=NOW)
        with pytest.raises(operations.AlreadyDecided):
            operations.discard([letter], actor="bob", note="too", now=NOW)
        assert (Event.objects.count(), Review.objects.count()) == (1, 1)
    assert PendingDelivery.objects.count() == 0


def test_a_retry_of_a_type_that_is_known_by_now_routes_the_event_to_its_handlers(
    acme: TenantRef, run_all: RunAll
) -> None:
    uid = _send(acme, "1", type="martian.landed")
    run_all()
    with entering(acme):
        letter = DeadLetter.objects.get()
        operations.retry([letter], actor="ann", now=NOW)
    run_all()
    with entering(acme):
        assert DeadLetter.objects.values_list("state", "deaths").get() == ("open", 2)
    entry = EventType(
        name="martian.landed", category=AUTOMATION, priority=P2, stream="{subject}", payload=Payload
    )
    catalogue.add(entry)
    try:
        with handler(types=("martian.landed",)) as seen, entering(acme):
            operations.retry([letter], actor="ann", now=NOW)
            run_all()
    finally:
        catalogue._types.pop("martian.landed")
    assert [c.event.uid for c in seen] == [uid]
    with entering(acme):
        assert DeadLetter.objects.get().state == "resolved"
        assert get_stories([uid])[uid].state == "done"


def _refuse(payload: object, context: object) -> None:
    _refuse_now()


def _refuse_now() -> None:
    raise PermanentError("no")


def _send(tenant: TenantRef, *ids: str, type: str = "custom.thing") -> Any:
    with entering(tenant):
        receipts = publish_many(
            [Envelope(id=i, source="test", type=type, subject="room", data={}) for i in ids]
        )
    return receipts[-1].uid
