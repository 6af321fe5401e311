"""`POST /hooks/{token}` over a socket: what is taken, what is refused, what is kept."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import requests
from django.test import Client
from django.utils import timezone

from apps.sync import connecting
from apps.sync.models import Connection, Reception
from apps.sync.receiving import open_reception
from apps.tenants.entering import TenantRef, entering
from apps.tenants.models import Tenant
from config.logging import LineFormatter
from tests.sync.connections import (
    cloud_event,
    connect,
    count_rows,
    events_of,
    letters_of,
    state_of,
)

RunAll = Callable[..., int]


def test_a_body_is_stored_encrypted_and_its_events_follow(
    web: str, acme: TenantRef, run_all: RunAll
) -> None:
    sender = connect(web, acme)
    answer = sender.post(cloud_event("1", data={"who": "Ada Lovelace"}))
    assert answer.status_code == 202
    with entering(acme):
        reception = Reception.objects.get()
        assert str(reception.pk) == answer.json()["received"]
        assert b"Ada" not in bytes(reception.sealed)
        assert b"Ada Lovelace" in open_reception(reception).body
        assert reception.expires_at - reception.received_at == timedelta(days=30)
        assert reception.read_at is None
    assert events_of(acme) == []
    run_all()
    assert events_of(acme) == [("doors", "1", "custom.door_opened")]
    assert letters_of(acme) == []
    connection = state_of(sender)
    assert (connection.received_count, connection.refused_count) == (1, 0)
    assert connection.last_received_at == reception.received_at


@pytest.mark.parametrize("host", ["acme.localhost", "platform.localhost"])
def test_the_token_names_the_tenant_on_its_own_host_and_on_the_platform_s(
    web: str, acme: TenantRef, harbor: TenantRef, run_all: RunAll, host: str
) -> None:
    sender = connect(web, acme, host=host)
    # What the payload says of a tenant counts for nothing.
    assert sender.post(cloud_event("1", tenant="harbor")).status_code == 202
    run_all()
    assert events_of(acme) == [("doors", "1", "custom.door_opened")]
    assert events_of(harbor) == []


def test_a_token_on_another_tenant_s_host_is_unknown(
    web: str, acme: TenantRef, harbor: TenantRef
) -> None:
    sender = connect(web, acme, host="harbor.localhost")
    answer = sender.post(cloud_event("1"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert count_rows(acme) == count_rows(harbor) == (0, 0)
    assert state_of(sender).received_count == 0


def test_the_same_ids_of_two_tenants_are_two_facts(
    web: str, acme: TenantRef, harbor: TenantRef, run_all: RunAll
) -> None:
    with entering(acme):
        connection = connecting.create_connection(name="a", now=timezone.now())
    ours = connect(web, acme)
    with entering(harbor):
        # Even with the very id of the other tenant's connection.
        Connection.objects.create(
            pk=ours.made.connection.pk, name="twin", watched_since=timezone.now()
        )
    theirs = connect(web, harbor)
    for sender in (ours, theirs):
        assert sender.post(cloud_event("1")).status_code == 202
    run_all()
    for tenant in (acme, harbor):
        assert events_of(tenant) == [("doors", "1", "custom.door_opened")]
    with entering(harbor):
        assert Connection.objects.get(name="twin").received_count == 0
    with entering(acme):
        assert Connection.objects.get(pk=connection.connection.pk).received_count == 0


@pytest.mark.parametrize("token", ["hk_nobody", "x" * 2000, "%00", "%ff%fe"])
def test_an_unknown_token_stores_nothing(web: str, acme: TenantRef, token: str) -> None:
    sender = connect(web, acme)
    assert sender.post(cloud_event("1"), token=token).status_code == 404
    assert count_rows(acme) == (0, 0)
    assert state_of(sender).refused_count == 0


def test_a_token_of_a_deleted_connection_or_an_inactive_tenant_is_unknown(
    web: str, acme: TenantRef
) -> None:
    sender, deleted = connect(web, acme), connect(web, acme)
    with entering(acme):
        connecting.delete_connection(deleted.made.connection)
    assert deleted.post(cloud_event("1")).status_code == 404
    Tenant.objects.filter(pk=acme.id).update(is_active=False)
    try:
        assert sender.post(cloud_event("1")).status_code == 404
        sender.host = "platform.localhost"
        assert sender.post(cloud_event("1")).status_code == 404
    finally:
        Tenant.objects.filter(pk=acme.id).update(is_active=True)
    assert count_rows(acme) == (0, 0)


def test_other_methods_are_not_taken(web: str, acme: TenantRef) -> None:
    sender = connect(web, acme)
    answer = requests.get(
        f"{web}/hooks/{sender.made.token}", headers={"Host": sender.host}, timeout=10
    )
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_a_trailing_slash_makes_no_difference(web: str, acme: TenantRef) -> None:
    sender = connect(web, acme)
    assert sender.post(cloud_event("1"), token=f"{sender.made.token}/").status_code == 202


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"   ", {"content_type": "application/json"}),
        (b"garbage", {"content_type": "application/json"}),
        (b"\xff\xfe\x00", {"content_type": "application/json"}),
        (b'{"n": NaN}', {"content_type": "application/json"}),
        (b'{"n": 1e999}', {"content_type": "application/json"}),
        (b'{"a": 1, "a": 2}', {"content_type": "application/json"}),
        (b'{"id": "a\\u0000b"}', {"content_type": "application/json"}),
        (b"[" * 5000, {"content_type": "application/json"}),
        (b"{}", {"content_type": "application/cloudevents-batch+json"}),
        (b"<a/>", {"content_type": "text/xml"}),
        (b"a=b", {"content_type": "application/x-www-form-urlencoded"}),
        (b"--x--", {"content_type": "multipart/form-data; boundary=x"}),
        (b"{}", {"content_type": "\x00;;;/".replace("\x00", "?")}),
        (b"{}", {"content_type": "application/json", "ce_id": "%00"}),
        (b"<a/>", {"content_type": "text/xml", "ce_id": "1", "ce_type": "custom.a"}),
        (b"\x1f\x8b\x08\x00", {"content_type": "application/json", "content_encoding": "gzip"}),
    ],
)
def test_a_body_that_cannot_be_read_is_stored_and_brought_before_a_person(
    web: str, acme: TenantRef, run_all: RunAll, body: bytes, headers: dict[str, str]
) -> None:
    sender = connect(web, acme)
    assert sender.post(body, **headers).status_code == 202
    assert count_rows(acme) == (1, 1)
    run_all()
    [(reason, handler, message)] = letters_of(acme)
    assert (reason, handler) == ("unreadable", "sync.read_body")
    assert message
    assert events_of(acme) == []
    with entering(acme):
        assert open_reception(Reception.objects.get()).body == body


def test_a_body_that_was_cut_into_chunks_is_whole(
    web: str, acme: TenantRef, run_all: RunAll
) -> None:
    sender = connect(web, acme)
    parts = (part for part in (b'{"id": "1", "source": "doors",', b' "type": "custom.door"}'))
    url = f"{web}/hooks/{sender.made.token}"
    answer = requests.post(url, data=parts, headers={"Host": sender.host}, timeout=10)
    assert answer.status_code == 202
    run_all()
    assert events_of(acme) == [("doors", "1", "custom.door")]


def test_only_a_body_over_10_mib_is_refused(web: str, acme: TenantRef) -> None:
    sender = connect(web, acme)
    answer = sender.post(b"x" * (10 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert "larger than 10485760 bytes" in answer.json()["detail"]
    assert count_rows(acme) == (0, 0)
    assert sender.post(b"x" * (10 * 1024 * 1024)).status_code == 202
    assert count_rows(acme) == (1, 1)


def test_a_disabled_connection_keeps_what_comes_for_a_person(
    web: str, acme: TenantRef, run_all: RunAll
) -> None:
    sender = connect(web, acme)
    with entering(acme):
        connecting.update_connection(sender.made.connection, is_enabled=False, now=timezone.now())
    assert sender.post(cloud_event("1")).status_code == 202
    run_all()
    [(reason, _, message)] = letters_of(acme)
    assert (reason, "is disabled: enable it, then retry" in message) == ("permanent", True)
    assert events_of(acme) == []


# --- signatures --------------------------------------------------------------------------------

BODY = {"type": "custom.door_opened", "timestamp": "2027-06-01T10:00:00Z", "data": {"door": 1}}


def test_what_the_public_library_signs_is_taken(web: str, acme: TenantRef, run_all: RunAll) -> None:
    sender = connect(web, acme, is_signed=True)
    assert sender.post_signed(BODY, id="msg_1").status_code == 202
    run_all()
    source = f"connection:{sender.made.connection.pk}"
    assert events_of(acme) == [(source, "msg_1", "custom.door_opened")]


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_time_more_than_five_minutes_away_is_refused(
    web: str, acme: TenantRef, minutes: int
) -> None:
    sender = connect(web, acme, is_signed=True)
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    answer = sender.post_signed(BODY, id="msg_1", at=at)
    assert answer.status_code == 401
    assert "five minutes" in answer.json()["detail"]
    assert count_rows(acme) == (0, 0)


def test_four_minutes_away_is_near_enough(web: str, acme: TenantRef) -> None:
    sender = connect(web, acme, is_signed=True)
    for minutes in (-4, 4):
        at = datetime.now(UTC) + timedelta(minutes=minutes)
        assert sender.post_signed(BODY, id=f"msg_{minutes}", at=at).status_code == 202


OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook_signature": ""},
        {"webhook_signature": "v1,"},
        {"webhook_signature": "v2,abc v1a,abc"},
        {"webhook_signature": "v1,é"},
        {"webhook_id": "msg_2"},
        {"webhook_id": ""},
        {"webhook_timestamp": "soon"},
        {"webhook_timestamp": "9" * 40},
        {"webhook_timestamp": "-1"},
        {"webhook_timestamp": ""},
    ],
)
def test_a_request_that_is_not_proven_is_counted_and_nothing_else(
    web: str, acme: TenantRef, changed: dict[str, str]
) -> None:
    sender = connect(web, acme, is_signed=True)
    headers = {**sender.sign('{"a": 1}', id="msg_1"), **changed}
    encoded = {name: value.encode() for name, value in headers.items()}
    answer = sender.post(b'{"a": 1}', **encoded)  # type: ignore[arg-type]
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "StandardWebhooks")
    assert count_rows(acme) == (0, 0)
    connection = state_of(sender)
    assert (connection.refused_count, connection.received_count) == (1, 0)
    assert connection.last_refused_at is not None
    assert connection.last_received_at is None


def test_a_body_changed_on_the_way_or_another_s_secret_is_refused(
    web: str, acme: TenantRef
) -> None:
    sender = connect(web, acme, is_signed=True)
    headers = sender.sign('{"a": 1}', id="msg_1")
    assert sender.post(b'{"a":  1}', **headers).status_code == 401
    assert sender.post_signed(BODY, id="msg_1", secret=OTHER).status_code == 401
    assert sender.post(b'{"a": 1}').status_code == 401
    assert state_of(sender).refused_count == 3
    assert count_rows(acme) == (0, 0)


def test_one_of_several_signatures_is_enough(web: str, acme: TenantRef) -> None:
    sender = connect(web, acme, is_signed=True)
    headers = sender.sign('{"a": 1}', id="msg_1")
    other = sender.sign('{"a": 1}', id="msg_1", secret=OTHER)["webhook_signature"]
    headers["webhook_signature"] = f"v9,x {other} {headers['webhook_signature']}"
    assert sender.post(b'{"a": 1}', **headers).status_code == 202


def test_during_a_rotation_both_secrets_fit_and_then_the_new_one_alone(
    web: str, acme: TenantRef
) -> None:
    sender = connect(web, acme, is_signed=True)
    now = timezone.now()
    with entering(acme):
        new = connecting.rotate_secret(sender.made.connection, now=now).secret or ""
    assert sender.post_signed(BODY, id="1").status_code == 202
    assert sender.post_signed(BODY, id="2", secret=new).status_code == 202
    with entering(acme):
        Connection.objects.update(previous_valid_until=now)
    assert sender.post_signed(BODY, id="3").status_code == 401
    assert sender.post_signed(BODY, id="4", secret=new).status_code == 202


def test_a_secret_that_cannot_be_read_asks_to_come_again(web: str, acme: TenantRef) -> None:
    sender = connect(web, acme, is_signed=True)
    with entering(acme):
        Connection.objects.update(secret=b"of another key")
    answer = sender.post_signed(BODY, id="1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "300")
    assert state_of(sender).refused_count == 0
    assert count_rows(acme) == (0, 0)


def test_no_token_is_in_the_log_of_what_goes_wrong(
    acme: TenantRef, caplog: pytest.LogCaptureFixture
) -> None:
    with entering(acme):
        made = connecting.create_connection(name="feed", is_signed=True, now=timezone.now())
        Connection.objects.update(secret=b"of another key")
    client = Client(headers={"host": "acme.localhost"})
    assert client.post(f"/hooks/{made.token}", b"{}", "application/json").status_code == 503
    assert client.get(f"/hooks/{made.token}").status_code == 405
    lines = "\n".join(LineFormatter().format(record) for record in caplog.records)
    assert "tenant='acme'" in lines
    assert "Service Unavailable: /hooks/•••" in lines
    assert str(made.token) not in lines
