"""Connections in the tenant's admin: made, looked at, rotated, removed."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection as db
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.events.models import Event
from apps.sync import connecting, receiving
from apps.sync.connectors.registry import Received
from apps.sync.models import Connection, Reception
from apps.tenants.entering import TenantRef, entering
from apps.tenants.hook_tokens import find_token
from apps.tenants.models import HookToken
from tests.fallback.test_admin import sign_in

LIST = "/admin/sync/connection/"
RunAll = Callable[..., int]


@pytest.fixture
def client(acme: TenantRef) -> Client:
    with entering(acme):
        return sign_in("acme.localhost")


@pytest.fixture
def connection(acme: TenantRef) -> Connection:
    with entering(acme):
        return connecting.create_connection(name="feed", now=timezone.now()).connection


def test_one_that_is_made_shows_its_address_and_secret_once(
    client: Client, acme: TenantRef
) -> None:
    form = {"name": "Doors", "connector": "generic", "is_signed": "on", "silent_after": "06:00:00"}
    answer = client.post(f"{LIST}add/", form)
    shown = answer.content.decode()
    [token] = re.findall(r"http://acme\.localhost/hooks/(hk_[\w-]+)", shown)
    [secret] = re.findall(r"whsec_[\w+/=]+", shown)
    assert "no-store" in answer["Cache-Control"]
    assert not any(token in str(cookie) for cookie in client.cookies.values())
    with entering(acme):
        made = Connection.objects.get()
        assert (made.name, made.silent_after) == ("Doors", timedelta(hours=6))
        assert connecting.get_secrets(made, now=timezone.now()) == [secret]
    found = find_token(token, now=timezone.now())
    assert found is not None
    assert found.connection_id == made.pk
    for path in (LIST, f"{LIST}{made.pk}/change/"):
        page = client.get(path).content.decode()
        assert "Doors" in page
        assert token not in page
        assert secret not in page


def test_a_bad_one_is_refused_at_the_field(client: Client, acme: TenantRef) -> None:
    form = {"name": " ", "connector": "fax", "silent_after": "00:00:01"}
    shown = client.post(f"{LIST}add/", form).content.decode()
    assert "must be between a minute and a year" in shown
    assert "Select a valid choice" in shown
    with entering(acme):
        assert Connection.objects.count() == 0
    assert HookToken.objects.count() == 0


def test_one_is_changed_and_its_health_shown(
    client: Client, acme: TenantRef, connection: Connection
) -> None:
    page = f"{LIST}{connection.pk}/change/"
    assert "nothing received yet" in client.get(page).content.decode()
    client.post(page, {"name": "Doors", "silent_after": ""})  # an unticked box: disabled
    with entering(acme):
        changed = Connection.objects.get()
    assert (changed.name, changed.is_enabled, changed.connector) == ("Doors", False, "generic")
    assert "disabled: what comes waits for a person" in client.get(LIST).content.decode()


@pytest.mark.parametrize(("what", "made"), [("token", r"/hooks/hk_"), ("secret", r"whsec_")])
def test_rotating_asks_first_and_shows_once(
    client: Client, acme: TenantRef, connection: Connection, what: str, made: str
) -> None:
    page = client.get(f"{LIST}{connection.pk}/change/").content.decode()
    path = f"{LIST}{connection.pk}/rotate-{what}"
    [link] = set(re.findall(rf'href="([^"]*rotate-{what}[^"]*)"', page))
    assert link.rstrip("/") == path
    asked = client.get(link).content.decode()
    assert "24 hours more" in asked or "must be signed" in asked
    assert HookToken.objects.count() == 1
    shown = client.post(link)
    assert re.search(made, shown.content.decode())
    assert "no-store" in shown["Cache-Control"]
    assert HookToken.objects.count() == (2 if what == "token" else 1)
    with entering(acme):
        assert Connection.objects.get().is_signed is (what == "secret")


def test_who_may_only_look_rotates_nothing(
    client: Client, acme: TenantRef, connection: Connection
) -> None:
    with entering(acme):
        eve = sign_in("acme.localhost", username="eve", is_superuser=False)
    for what in ("token", "secret"):
        assert eve.post(f"{LIST}{connection.pk}/rotate-{what}/").status_code in (403, 404)
    assert HookToken.objects.count() == 1


def test_one_is_deleted_with_what_it_brought(
    client: Client, acme: TenantRef, connection: Connection
) -> None:
    with entering(acme):
        received = Received(headers={}, body=b"1")
        receiving.receive(connection, received, now=timezone.now())
    client.post(f"{LIST}{connection.pk}/delete/", {"post": "yes"})
    with entering(acme):
        assert (Connection.objects.count(), Reception.objects.count()) == (0, 0)
    assert HookToken.objects.count() == 0


def test_empty_lists_say_what_would_be_there(client: Client) -> None:
    assert "No outside sender is connected" in client.get(LIST).content.decode()
    assert "No body is kept" in client.get("/admin/sync/reception/").content.decode()


def test_a_received_body_is_shown_to_who_may_and_the_event_points_to_it(
    client: Client, acme: TenantRef, connection: Connection, run_all: RunAll
) -> None:
    with entering(acme):
        received = Received(headers={"content-type": "text/xml"}, body=b"<door>\x00\xff</door>")
        pk = receiving.receive(connection, received, now=timezone.now())
        eve = sign_in("acme.localhost", username="eve", is_superuser=False)
    run_all()
    page = client.get(f"/admin/sync/reception/{pk}/change/").content.decode()
    assert "content-type: text/xml" in page
    assert "&lt;door&gt;��&lt;/door&gt;" in page
    assert eve.get(f"/admin/sync/reception/{pk}/change/").status_code == 403
    with entering(acme):
        event = Event.objects.get(type="connection.body_received").uid
    assert f"/admin/sync/reception/{pk}/change/" in client.get(
        f"/admin/events/event/{event}/change/"
    ).content.decode()  # fmt: skip


def test_a_list_of_bodies_reads_none_of_them(
    client: Client, acme: TenantRef, connection: Connection
) -> None:
    with entering(acme):
        received = Received(headers={}, body=b"1")
        receiving.receive(connection, received, now=timezone.now())
        event = Event.objects.get().uid
    for page in ("sync/reception/", f"events/event/{event}/change/"):
        with CaptureQueriesContext(db) as asked:
            client.get(f"/admin/{page}")
        reading = [q["sql"] for q in asked if "sync_reception" in q["sql"]]
        assert reading
        assert not any("sealed" in sql for sql in reading)


def test_another_tenant_sees_none_of_it(
    connection: Connection, acme: TenantRef, harbor: TenantRef
) -> None:
    with entering(harbor):
        theirs = sign_in("harbor.localhost")
    assert "feed" not in theirs.get(LIST).content.decode()
    assert theirs.get(f"{LIST}{connection.pk}/change/").status_code == 302
