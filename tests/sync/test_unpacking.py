"""From a received body to its events: the forms that are read, and what cannot be used of them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from django.utils import timezone

from apps.engine.tasks import replay
from apps.events.models import Delivery, Event
from apps.fallback import operations as fallback
from apps.fallback.models import DeadLetter
from apps.sync import connecting, rounds
from apps.sync.models import Connection, Exchange, Reception
from apps.sync.operations import create_endpoint
from apps.tenants.entering import TenantRef, entering
from pms_events.handlers import Effects, handlers
from tests.conftest import Api
from tests.sync.connections import Sender, cloud_event, connect, count_rows, events_of, letters_of

RunAll = Callable[..., int]
BATCH = "application/cloudevents-batch+json"


@pytest.fixture
def sender(web: str, acme: TenantRef) -> Sender:
    return connect(web, acme)


def only_letter(tenant: TenantRef) -> DeadLetter:
    with entering(tenant):
        return DeadLetter.objects.get(state="open")


def test_the_public_sdk_s_structured_and_binary_forms_are_read(
    sender: Sender, acme: TenantRef, run_all: RunAll
) -> None:
    for n, form in enumerate((to_structured_event, to_binary_event)):
        attributes = {
            "id": f"sdk-{n}", "source": "/doors/é", "type": "custom.opened", "subject": "door 1",
            "specversion": "1.0", "datacontenttype": "application/json", "tenantish": "x",
        }  # fmt: skip
        message = form(CloudEvent(attributes=attributes, data={"door": n}))
        headers = {name.replace("-", "_"): value for name, value in message.headers.items()}
        assert sender.post(message.body, **headers).status_code == 202
    run_all()
    with entering(acme):
        rows = Event.objects.filter(type="custom.opened").order_by("uid")
        found = [(e.event_id, e.source, e.subject, e.data, e.extensions) for e in rows]
    assert found == [
        (f"sdk-{n}", "/doors/é", "door 1", {"door": n}, {"tenantish": "x"}) for n in range(2)
    ]
    assert letters_of(acme) == []


def test_events_come_in_the_order_of_the_body_and_name_it_as_their_cause(
    sender: Sender, acme: TenantRef, run_all: RunAll
) -> None:
    sender.post([cloud_event(str(n)) for n in range(30)], content_type=BATCH)
    run_all()
    assert [id for _, id, _ in events_of(acme)] == [str(n) for n in range(30)]
    with entering(acme):
        body = Event.objects.get(type="connection.body_received")
        causes = Event.objects.filter(type="custom.door_opened").values_list("causation", flat=True)
        assert set(causes) == {body.uid}
        assert Reception.objects.get().read_at is not None


def test_of_a_batch_what_can_be_used_is_used(
    sender: Sender, acme: TenantRef, run_all: RunAll
) -> None:
    bad_booking = cloud_event("b", type="booking.created", data={"status": "sold"})
    batch = [cloud_event("1"), {"id": "2"}, 7, None, bad_booking,
             cloud_event("x", type="moon.landed"), cloud_event("3")]  # fmt: skip
    assert sender.post(batch, content_type=BATCH).status_code == 202
    run_all()
    assert events_of(acme) == [
        ("doors", "1", "custom.door_opened"),
        ("doors", "x", "moon.landed"),
        ("doors", "3", "custom.door_opened"),
    ]
    letters = letters_of(acme)
    assert sorted((reason, handler) for reason, handler, _ in letters) == [
        *[("invalid", "sync.accept_event")] * 4,
        ("unknown_type", "engine.unknown_type"),
    ]
    messages = " ".join(message for _, _, message in letters)
    for pointer in ("#/source: is required", "#: an event is a JSON object", "#/data/stays"):
        assert pointer in messages


def test_a_rejected_event_is_corrected_and_accepted(
    sender: Sender, acme: TenantRef, run_all: RunAll
) -> None:
    event = {"id": "9", "source": "doors", "data": {"door": 1}}
    sender.post([event, cloud_event("1")])
    run_all()
    letter = only_letter(acme)
    with entering(acme):
        original = Event.objects.get(uid=letter.event_uid)
        data = {**original.data, "event": {**event, "type": "custom.door_opened"}}
        assert original.data["event"] == event
        assert original.data["index"] == 0
        fallback.correct(letter, data=data, actor="ada", now=timezone.now())
    run_all()
    assert ("doors", "9", "custom.door_opened") in events_of(acme)
    assert letters_of(acme) == []
    with entering(acme):
        assert Event.objects.get(uid=letter.event_uid).data["event"] == event


def test_a_rejected_event_is_discarded(sender: Sender, acme: TenantRef, run_all: RunAll) -> None:
    sender.post({"hello": "world"})
    run_all()
    letter = only_letter(acme)
    with entering(acme):
        fallback.discard([letter], actor="ada", note="a test", now=timezone.now())
    run_all()
    assert (events_of(acme), letters_of(acme)) == ([], [])


def test_a_known_id_with_another_body_is_a_dead_letter(
    sender: Sender, acme: TenantRef, run_all: RunAll
) -> None:
    sender.post(cloud_event("1"))
    sender.post(cloud_event("1", data={"door": 2}))
    # Twice in one body, too.
    sender.post([cloud_event("2"), cloud_event("2", data={"door": 2})])
    run_all()
    assert [id for _, id, _ in events_of(acme)] == ["1", "2"]
    letters = letters_of(acme)
    assert [(reason, handler) for reason, handler, _ in letters] == [
        ("permanent", "sync.accept_event")
    ] * 2
    assert "is kept already as" in letters[0][2]
    with entering(acme):
        assert Event.objects.get(event_id="1", source="doors").data == {"door": 1}


def test_a_conflict_that_is_given_an_id_of_its_own_is_accepted(
    sender: Sender, acme: TenantRef, run_all: RunAll
) -> None:
    sender.post(cloud_event("1"))
    sender.post(cloud_event("1", data={"door": 2}))
    run_all()
    letter = only_letter(acme)
    with entering(acme):
        data = Event.objects.get(uid=letter.event_uid).data
        data["event"]["id"] = "1b"
        fallback.correct(letter, data=data, actor="ada", now=timezone.now())
    run_all()
    assert [id for _, id, _ in events_of(acme)] == ["1", "1b"]
    assert letters_of(acme) == []


def test_a_retry_that_the_sender_signs_anew_is_the_same_delivery(
    web: str, acme: TenantRef, run_all: RunAll
) -> None:
    sender = connect(web, acme, is_signed=True)
    body = {"type": "custom.door_opened", "timestamp": "2027-06-01T10:00:00Z", "data": {"n": 1}}
    now = timezone.now()
    for second in range(3):
        at = now - timedelta(seconds=60 * second)
        assert sender.post_signed(body, id="msg_1", at=at).status_code == 202
    assert count_rows(acme) == (1, 1)
    # Another id is another fact, though the body is the same; so is another body under this one.
    assert sender.post_signed(body, id="msg_2").status_code == 202
    assert sender.post_signed({**body, "data": {"n": 2}}, id="msg_1").status_code == 202
    run_all()
    assert [id for _, id, _ in events_of(acme)] == ["msg_1", "msg_2"]
    assert [reason for reason, _, _ in letters_of(acme)] == ["permanent"]


@pytest.mark.parametrize(
    "body",
    [
        {"timestamp": "2027-06-01T10:00:00Z", "data": {}},
        {"type": "Not a type", "data": {}},
        {"type": "custom.a", "timestamp": "yesterday", "data": {}},
        {"type": "custom.a", "data": "text"},
        ["custom.a"],
        "custom.a",
    ],
)
def test_a_standard_webhook_that_is_no_event_is_told(
    sender: Sender, acme: TenantRef, run_all: RunAll, body: Any
) -> None:
    assert sender.post(body, webhook_id="msg_1").status_code == 202
    run_all()
    assert [(r, h) for r, h, _ in letters_of(acme)] == [("invalid", "sync.accept_event")]
    assert events_of(acme) == []


def test_too_many_events_or_too_large_ones_are_told_and_bounded(
    sender: Sender, acme: TenantRef, run_all: RunAll
) -> None:
    sender.post(b"[" + b"{}," * 10_000 + b"{}]", content_type="application/json")
    run_all()
    assert [(r, h) for r, h, _ in letters_of(acme)] == [("unreadable", "sync.read_body")]
    large = cloud_event("large", data={"text": "é" * 140_000})
    sender.post([large, cloud_event("1")])
    run_all()
    assert [id for _, id, _ in events_of(acme)] == ["1"]
    with entering(acme):
        [kept] = Event.objects.filter(type="connection.event_rejected")
        assert kept.data["event"]["id"] == "large"
        assert "left out" in kept.data["event"]["data"]


def test_an_unread_body_that_expired_is_a_dead_letter_and_a_read_one_is_not(
    web: str, acme: TenantRef, run_all: RunAll
) -> None:
    read, unread = connect(web, acme), connect(web, acme)
    read.post(cloud_event("1"))
    run_all()
    unread.post(cloud_event("2"))
    with entering(acme):
        rounds.forget_expired_bodies(timezone.now() + timedelta(days=29))
        assert Reception.objects.count() == 2
        rounds.forget_expired_bodies(timezone.now() + timedelta(days=31))
        assert Reception.objects.count() == 0
    run_all()
    [(reason, handler, message)] = letters_of(acme)
    assert (reason, handler) == ("unreadable", "sync.read_body")
    assert "expired before it was read" in message


def test_what_expired_unread_is_read_by_a_retry_once_its_sender_repeats_it(
    sender: Sender, acme: TenantRef, run_all: RunAll
) -> None:
    sender.post(cloud_event("1"))
    with entering(acme):
        rounds.forget_expired_bodies(timezone.now() + timedelta(days=31))
    run_all()
    letter = only_letter(acme)
    for _ in range(2):
        assert sender.post(cloud_event("1")).status_code == 202
        assert count_rows(acme)[1] == 1
    with entering(acme):
        fallback.retry([letter], actor="ada", now=timezone.now())
    run_all()
    assert [id for _, id, _ in events_of(acme)] == ["1"]
    assert letters_of(acme) == []


def test_what_is_on_its_way_of_a_deleted_connection_is_discarded(
    sender: Sender, acme: TenantRef, run_all: RunAll
) -> None:
    sender.post(cloud_event("1"))
    with entering(acme):
        connecting.delete_connection(sender.made.connection)
    run_all()
    assert (events_of(acme), letters_of(acme)) == ([], [])
    assert count_rows(acme) == (1, 0)


def test_a_disabled_connection_that_is_enabled_again_is_read_by_a_retry(
    sender: Sender, acme: TenantRef, run_all: RunAll
) -> None:
    now = timezone.now()
    with entering(acme):
        connecting.update_connection(sender.made.connection, is_enabled=False, now=now)
    sender.post(cloud_event("1"))
    run_all()
    letter = only_letter(acme)
    with entering(acme):
        connecting.update_connection(sender.made.connection, is_enabled=True, now=now)
        fallback.retry([letter], actor="ada", now=now)
    run_all()
    assert [id for _, id, _ in events_of(acme)] == ["1"]
    assert letters_of(acme) == []


def test_an_event_that_names_another_connection_s_body_finds_none(
    web: str, acme: TenantRef, run_all: RunAll
) -> None:
    """A sender may state any fact; that a body came by another connection is none it can make up."""
    ours, other = connect(web, acme), connect(web, acme)
    other.post(cloud_event("1"))
    with entering(acme):
        reception = Reception.objects.get()
        Connection.objects.filter(pk=other.made.connection.pk).update(is_enabled=False)
    ids = {
        "connection_id": str(ours.made.connection.pk), "reception_id": str(reception.pk),
    }  # fmt: skip
    ours.post(cloud_event("forged", type="connection.body_received", data=ids))
    run_all()
    assert events_of(acme) == []
    assert sorted(reason for reason, _, _ in letters_of(acme)) == ["permanent", "unreadable"]


def test_a_replay_of_bodies_repeats_nothing_and_knows_which_have_expired(
    sender: Sender, acme: TenantRef, api_of: Callable[..., Api], run_all: RunAll
) -> None:
    sender.post(cloud_event("1"))
    sender.post([cloud_event("2"), {"id": "3"}])
    run_all()
    before = (events_of(acme), letters_of(acme), count_rows(acme))
    wish = {"filter": {"type": "connection.body_received"}, "reason": "test"}
    notes = []
    for _ in range(2):
        started = api_of(acme).post("replays", wish).json()
        replay.apply(args=[acme.id, started["id"]])
        run_all()
        with entering(acme):
            rows = Delivery.objects.filter(replay_id=started["id"]).order_by("event_uid")
            notes += [(row.state, row.note) for row in rows]
            rounds.forget_expired_bodies(timezone.now() + timedelta(days=31))
    assert (events_of(acme), letters_of(acme)) == before[:2]
    assert count_rows(acme) == (before[2][0], 0)
    assert notes == [
        ("done", "0 accepted, 1 known, 0 rejected"),
        ("done", "0 accepted, 1 known, 1 rejected"),
        *[("discarded", "the body has expired: replay the events that it carried")] * 2,
    ]


def test_an_endpoint_for_all_events_that_posts_to_a_hook_of_ours_makes_no_circle(
    web: str, acme: TenantRef, run_all: RunAll
) -> None:
    sender = connect(web, acme, host="127.0.0.1")
    with entering(acme):
        create_endpoint(url=f"{web}/hooks/{sender.made.token}", patterns=["*"])
    sender.post([cloud_event("1"), {"id": "2"}])
    run_all()  # comes to an end
    assert run_all() == 0
    assert events_of(acme) == [("doors", "1", "custom.door_opened")]
    with entering(acme):
        sent = Exchange.objects.filter(status=202)
        told = Event.objects.filter(uid__in=sent.values("event_uid")).values_list("type", flat=True)
        # What comes back is known, or a conflict: of that new cause it is told once more.
        assert sorted(told) == ["custom.door_opened", "delivery.died", "delivery.died"]
        assert Event.objects.filter(type="connection.body_received").count() == 4


def test_bodies_are_read_by_workers_that_wait_for_no_receiver() -> None:
    for name in ("sync.read_body", "sync.accept_event"):
        reader = handlers.find(name)
        assert reader is not None
        beside = [h for h in handlers if h.category is reader.category]
        assert all(h.effects is Effects.DATABASE for h in beside)
