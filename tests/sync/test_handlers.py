"""Deliveries to endpoints, through the engine, to a real receiver."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pytest_django.fixtures import Settings

from apps.dispatch.models import PendingDelivery, State
from apps.engine import router, working
from apps.events.models import Delivery
from apps.fallback.models import DeadLetter
from apps.sync import operations
from apps.sync.models import Endpoint
from apps.tenants.entering import TenantRef, entering
from tests.sync.conftest import EndpointOf, exchanges, publish
from tests.sync.receiver import Receiver, Reply

RunAll = Callable[..., int]


def deliveries(tenant: TenantRef) -> list[tuple[str, int, str]]:
    """State, attempts and target of a tenant's finished deliveries to endpoints."""
    with entering(tenant):
        rows = Delivery.objects.filter(handler=operations.HANDLER).order_by("target")
        return list(rows.values_list("state", "attempts", "target"))


def letter_of(tenant: TenantRef) -> tuple[str, str, str]:
    """Reason, error class and message of a tenant's only dead letter."""
    with entering(tenant):
        letter = DeadLetter.objects.get()
        return letter.reason, letter.error_class, letter.message


def test_an_event_is_posted_as_a_cloud_event(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll
) -> None:
    with Receiver() as receiver:
        endpoint, _ = endpoint_of(acme, receiver.url)
        publish(acme, "e1", subject="room:101")
        run_all()
    request = receiver.received[0]
    assert request.path == "/hook"
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    event = JSONFormat().read(CloudEvent, request.body)
    assert (event.get_id(), event.get_source(), event.get_type(), event.get_subject()) == (
        "e1",
        "test",
        "custom.thing",
        "room:101",
    )
    assert event.get_data() == {"n": "e1"}
    assert deliveries(acme) == [("done", 1, str(endpoint.pk))]


def test_a_failure_is_retried_under_the_same_id_and_each_attempt_keeps_an_exchange(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll
) -> None:
    with Receiver(Reply(status=500, body=b"on fire"), Reply(status=404)) as receiver:
        endpoint, _ = endpoint_of(acme, receiver.url)
        publish(acme, "1")
        run_all(also_scheduled=True)
    assert len(receiver.received) == 3
    assert len({r.webhook_id for r in receiver.received}) == 1
    assert receiver.received[0].webhook_id.startswith("dlv_")
    kept = exchanges(acme)
    assert [(e.attempt, e.status, e.response_body) for e in kept] == [
        (1, 500, "on fire"),
        (2, 404, ""),
        (3, 200, ""),
    ]
    assert {f"dlv_{e.delivery_id}" for e in kept} == {receiver.received[0].webhook_id}
    assert deliveries(acme) == [("done", 3, str(endpoint.pk))]
    with entering(acme):
        assert Delivery.objects.get().note.startswith("HTTP 200 in ")


def test_an_endpoint_that_never_takes_it_ends_before_a_person(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll
) -> None:
    with Receiver(*[Reply(status=500, body=b"x" * 300)] * 8) as receiver:
        endpoint_of(acme, receiver.url + "?token=hidden")
        publish(acme, "1")
        run_all(also_scheduled=True)
    assert len(receiver.received) == 8
    assert letter_of(acme) == (
        "exhausted",
        "DeliveryFailed",
        f"127.0.0.1:{receiver.port} answered 500: {'x' * 200}",
    )


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_puts_the_next_attempt_off(
    acme: TenantRef, endpoint_of: EndpointOf, status: int
) -> None:
    reply = Reply(status=status, headers={"Retry-After": "1800"})
    with Receiver(reply) as receiver:
        endpoint_of(acme, receiver.url)
        publish(acme, "1")
        router.route()
        before = datetime.now(UTC)
        working.work("sync")
        after = datetime.now(UTC)
    due_at = PendingDelivery.objects.get(state=State.SCHEDULED).due_at
    assert due_at is not None
    half_an_hour = timedelta(minutes=30)
    assert before + half_an_hour <= due_at <= after + half_an_hour


def test_410_disables_the_endpoint_and_asks_a_person(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll
) -> None:
    with Receiver(Reply(status=410)) as receiver:
        endpoint_of(acme, receiver.url)
        publish(acme, "1")
        run_all(also_scheduled=True)
        publish(acme, "2")
        run_all(also_scheduled=True)
    assert len(receiver.received) == 1
    assert letter_of(acme)[:2] == ("permanent", "EndpointOff")
    with entering(acme):
        endpoint = Endpoint.objects.get()
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, "it answered 410 Gone")


def test_410_of_an_old_url_does_not_disable_the_new_one(
    acme: TenantRef, endpoint_of: EndpointOf
) -> None:
    stale, _ = endpoint_of(acme, "http://old.example/")
    with entering(acme):
        operations.update_endpoint(stale, url="http://new.example/")
        assert operations.disable_endpoint(stale, reason="gone") is False
        assert Endpoint.objects.get().is_enabled is True


def test_a_redirect_is_not_followed(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll
) -> None:
    with Receiver() as elsewhere:
        moved = [Reply(status=307, headers={"Location": elsewhere.url})] * 8
        with Receiver(*moved) as receiver:
            endpoint_of(acme, receiver.url)
            publish(acme, "1")
            run_all(also_scheduled=True)
    assert elsewhere.received == []
    assert letter_of(acme)[2] == (
        f"127.0.0.1:{receiver.port} answered 307, a redirect to {elsewhere.url}, which is not "
        "followed: set the endpoint's URL to where it should go"
    )


def test_a_yes_whose_body_breaks_off_is_a_yes(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll
) -> None:
    with Receiver(Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")) as receiver:
        endpoint_of(acme, receiver.url)
        publish(acme, "1")
        run_all(also_scheduled=True)
    assert len(receiver.received) == 1
    [kept] = exchanges(acme)
    assert (kept.status, kept.response_body, "IncompleteRead" in kept.error) == (200, "ok", True)


def test_two_endpoints_get_one_delivery_each_and_a_failing_one_delays_nobody(
    acme: TenantRef, endpoint_of: EndpointOf
) -> None:
    with Receiver(*[Reply(status=500)] * 9) as failing, Receiver() as fine:
        first, _ = endpoint_of(acme, failing.url)
        second, _ = endpoint_of(acme, fine.url)
        publish(acme, "1", "2", subject="room")  # one stream: in order for each endpoint
        router.route()
        working.work("sync")
        working.work("sync")
    assert [r.body.count(b'"id":"1"') for r in failing.received] == [1]
    assert len(fine.received) == 2
    assert deliveries(acme) == [("done", 1, str(second.pk))] * 2
    owed = PendingDelivery.objects.order_by("id").values_list("target", "state")
    assert list(owed) == [(str(first.pk), State.SCHEDULED), (str(first.pk), State.WAITING)]


def test_an_endpoint_hears_its_patterns_only(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll
) -> None:
    with Receiver() as receiver:
        endpoint_of(acme, receiver.url, "custom.minibar_refilled", "booking.*")
        publish(acme, "1", type="custom.minibar_refilled")
        publish(acme, "2", type="custom.other")
        run_all()
    assert [r.body.count(b'"id":"1"') for r in receiver.received] == [1]


def test_the_endpoint_of_another_tenant_hears_nothing(
    acme: TenantRef, harbor: TenantRef, endpoint_of: EndpointOf, run_all: RunAll
) -> None:
    with Receiver() as ours, Receiver() as theirs:
        endpoint_of(acme, ours.url, "*")
        endpoint_of(harbor, theirs.url, "*")
        publish(acme, "1")
        run_all()
    assert (len(ours.received), len(theirs.received)) == (1, 0)
    assert (len(exchanges(acme)), len(exchanges(harbor))) == (1, 0)


def test_a_deleted_endpoint_discards_what_is_on_its_way(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll
) -> None:
    with Receiver() as receiver:
        endpoint, _ = endpoint_of(acme, receiver.url)
        publish(acme, "1")
        router.route()
        with entering(acme):
            operations.delete_endpoint(endpoint)
        run_all()
    assert receiver.received == []
    with entering(acme):
        assert Delivery.objects.values_list("state", "note").get() == (
            "discarded",
            "the endpoint was deleted",
        )


def test_a_disabled_endpoint_asks_a_person_and_sends_nothing(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll
) -> None:
    with Receiver() as receiver:
        endpoint, _ = endpoint_of(acme, receiver.url)
        publish(acme, "1")
        router.route()
        with entering(acme):
            operations.update_endpoint(endpoint, is_enabled=False)
        run_all()
        publish(acme, "2")  # while it is off, nothing is routed to it
        run_all()
    assert receiver.received == []
    assert letter_of(acme) == (
        "permanent",
        "EndpointOff",
        f"the endpoint at 127.0.0.1:{receiver.port} is disabled (by a person): enable it, retry",
    )


def test_a_blocked_address_asks_a_person_and_keeps_the_exchange(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll, settings: Settings
) -> None:
    settings.ALLOW_PRIVATE_TARGETS = False
    with Receiver() as receiver:
        endpoint_of(acme, receiver.url)
        publish(acme, "1")
        run_all(also_scheduled=True)
    assert receiver.received == []
    reason, error_class, message = letter_of(acme)
    assert (reason, error_class) == ("permanent", "BlockedAddress")
    assert [(e.status, e.error) for e in exchanges(acme)] == [(None, message)]


def test_an_exchange_keeps_the_signature_and_no_secret_and_cuts_bodies(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll
) -> None:
    reply = Reply(
        headers={"Server": "a\x00b", "Set-Cookie": "session=1"}, body=b"\x00\xff" + b"x" * 9000
    )
    with Receiver(reply) as receiver:
        _, secret = endpoint_of(acme, receiver.url)
        publish(acme, "1")
        run_all()
    [kept] = exchanges(acme)
    assert (
        kept.request_headers["webhook-signature"]
        == (receiver.received[0].headers["webhook-signature"])
    )
    assert kept.request_body == receiver.received[0].body.decode()
    assert kept.response_headers == {"content-length": "9002", "server": "a�b"}
    assert kept.response_body == "��" + "x" * 4094
    assert secret.removeprefix("whsec_") not in str(vars(kept))
