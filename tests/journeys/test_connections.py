"""Journeys 1, 12, 13 and 18 by way of a hook. Of 18 the alarm; reconciling is each connector's own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_structured_event
from cloudevents.core.v1.event import CloudEvent
from django.utils import timezone

from apps.events.models import Event
from apps.sync import rounds
from apps.sync.models import Connection
from apps.sync.operations import create_endpoint
from apps.tenants.entering import TenantRef, entering
from tests.journeys import stories
from tests.journeys.stories import cancelled, created
from tests.sync.connections import Sender, connect, count_rows, letters_of, state_of
from tests.sync.receiver import Receiver

RunAll = Callable[..., int]
BOOKED = datetime(2027, 1, 15, 10, tzinfo=UTC)


@pytest.fixture
def sender(web: str, acme: TenantRef) -> Sender:
    stories.make_property(acme)
    return connect(web, acme, is_signed=True)


def post(sender: Sender, event: dict[str, Any]) -> int:
    """Post a CloudEvent as the public SDK writes it, signed as the public library signs."""
    attributes = {k: v for k, v in event.items() if k != "data"}
    message = to_structured_event(CloudEvent(attributes=attributes, data=event["data"]))
    signed = sender.sign(message.body.decode(), id=f"msg_{event['id']}")
    headers = {name.replace("-", "_"): value for name, value in message.headers.items()}
    return sender.post(message.body, **headers, **signed).status_code


def test_one_delivery_21_times_has_one_set_of_effects(
    sender: Sender, acme: TenantRef, run_all: RunAll
) -> None:
    # With its time: the SDK would fill in another one each time, which is another content.
    event = {**created("A", "2027-06-01", "2027-06-04"), "time": BOOKED}
    for _ in range(21):
        assert post(sender, event) == 202
        run_all()
    assert len(stories.nights(acme)) == 1
    assert stories.cleans(acme) == [("seaview-101", "06-04 09:00", None)]
    with entering(acme):
        assert sorted(Event.objects.values_list("type", flat=True)) == [
            "booking.created",
            "cleaning.task_created",
            "connection.body_received",
            "stay.scheduled",
        ]
    assert state_of(sender).received_count == 21
    assert letters_of(acme) == []


def test_a_booking_and_its_cancellation_come_by_a_hook(
    sender: Sender, acme: TenantRef, run_all: RunAll
) -> None:
    assert post(sender, cancelled("A", revision=2)) == 202
    assert post(sender, created("A", "2027-06-01", "2027-06-04")) == 202
    run_all()
    assert (stories.nights(acme), stories.cleans(acme)) == ([], [])
    with entering(acme):
        event = Event.objects.get(type="booking.created")
        assert Event.objects.get(uid=event.causation).type == "connection.body_received"


def test_unknown_type_unknown_property_and_malformed_body_are_kept_for_a_person(
    sender: Sender, acme: TenantRef, run_all: RunAll
) -> None:
    unknown_type = {**created("T", "2027-06-01", "2027-06-04"), "type": "moon.landed"}
    elsewhere = created("P", "2027-06-01", "2027-06-04", property_id="old-mill")
    misfit = created("M", "2027-06-01", "2027-06-04", status="sold")
    for event in (unknown_type, elsewhere, misfit):
        assert post(sender, event) == 202
    malformed = '{"id": '
    assert sender.post(malformed.encode(), **sender.sign(malformed, id="m")).status_code == 202
    run_all(also_scheduled=True)
    assert sorted((reason, handler) for reason, handler, _ in letters_of(acme)) == [
        ("invalid", "sync.accept_event"),
        ("permanent", "bookings.record_booking"),
        ("unknown_type", "engine.unknown_type"),
        ("unreadable", "sync.read_body"),
    ]
    assert count_rows(acme)[1] == 4
    assert stories.nights(acme) == []


def test_a_bad_signature_leaves_nothing_but_a_count(
    sender: Sender, acme: TenantRef, run_all: RunAll
) -> None:
    text = '{"id": "1", "source": "s", "type": "custom.a"}'
    headers = sender.sign(text, id="msg_1")
    assert sender.post(text.replace("1", "2").encode(), **headers).status_code == 401
    assert run_all() == 0
    assert count_rows(acme) == (0, 0)
    connection = state_of(sender)
    assert (connection.refused_count, connection.received_count) == (1, 0)
    assert connection.last_received_at is None


def test_a_silence_reaches_the_person_s_endpoint_once_and_so_does_its_end(
    web: str, acme: TenantRef, harbor: TenantRef, run_all: RunAll
) -> None:
    sender = connect(web, acme, silent_after=timedelta(hours=1))
    sender.post({"id": "1", "source": "s", "type": "custom.a"})
    run_all()
    later = timezone.now() + timedelta(hours=2)
    with Receiver() as receiver:
        for tenant in (acme, harbor):
            with entering(tenant):
                create_endpoint(
                    url=receiver.url, patterns=["connection.silent", "connection.resumed"]
                )
                rounds.tell_silent_connections(later)
                rounds.tell_silent_connections(later + timedelta(minutes=5))
        run_all()
        sender.post({"id": "2", "source": "s", "type": "custom.a"})
        run_all()
    bodies = [request.body.decode() for request in receiver.received]
    assert ["connection.silent" in body for body in bodies] == [True, False]
    assert "connection.resumed" in bodies[1]
    with entering(acme):
        assert Connection.objects.get().silent_since is None
