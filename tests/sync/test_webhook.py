"""Signing, with the public library of Standard Webhooks as the judge."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from apps.sync import operations
from apps.sync.connectors.webhook import sign, write_request
from apps.sync.secrets import new_secret
from apps.tenants.entering import TenantRef, entering
from pms_events.context import Event
from tests.sync.conftest import EndpointOf, publish
from tests.sync.receiver import Receiver

_AT = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)


def event(**extensions: str) -> Event:
    return Event(
        uid=UUID(int=1),
        id="e1",
        source="pms",
        type="custom.thing",
        subject="",
        time=_AT,
        time_was_given=True,
        data={"name": "Zoë"},
        extensions=extensions,
        recorded_at=_AT,
    )


def test_a_known_signature_is_met() -> None:
    # The example of the Standard Webhooks specification's reference libraries.
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp="1614265330",
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_body_is_a_structured_cloud_event_whose_attributes_no_extension_replaces() -> None:
    request = write_request(
        event(traceparent="00-1", id="forged"), message_id="m", secrets=[new_secret()], now=_AT
    )
    assert json.loads(request.body) == {
        "specversion": "1.0",
        "id": "e1",
        "source": "pms",
        "type": "custom.thing",
        "time": "2027-06-01T12:00:00+00:00",
        "datacontenttype": "application/json",
        "traceparent": "00-1",
        "data": {"name": "Zoë"},
    }


def test_a_receiver_verifies_the_signature_and_notices_a_changed_body(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: Callable[..., int]
) -> None:
    with Receiver() as receiver:
        _, secret = endpoint_of(acme, receiver.url)
        publish(acme, "1")
        run_all()
    [request] = receiver.received
    assert secret.startswith("whsec_")
    assert Webhook(secret).verify(request.body, request.headers)["id"] == "1"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(request.body + b" ", request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(request.body, request.headers)


def test_both_secrets_verify_for_a_day_after_a_rotation(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: Callable[..., int]
) -> None:
    with Receiver() as receiver:
        endpoint, old = endpoint_of(acme, receiver.url)
        with entering(acme):
            _, new = operations.rotate_secret(endpoint, now=datetime.now(UTC))
        publish(acme, "1")
        run_all()
        with entering(acme):
            a_day_ago = datetime.now(UTC) - timedelta(hours=24)
            _, newest = operations.rotate_secret(endpoint, now=a_day_ago)
        publish(acme, "2")
        run_all()
    first, second = receiver.received
    assert Webhook(old).verify(first.body, first.headers)["id"] == "1"
    assert Webhook(new).verify(first.body, first.headers)["id"] == "1"
    assert Webhook(newest).verify(second.body, second.headers)["id"] == "2"
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(second.body, second.headers)
