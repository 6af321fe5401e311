"""Connections in the live view: those that need somebody first, and only for who may see them."""

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection as database_connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.sync import connecting, receiving, rounds
from apps.sync.connectors.registry import Received
from apps.sync.models import Connection
from apps.tenants.entering import TenantRef, entering
from config.live.outside import get_senders, tell_silent
from tests.fallback.test_admin import sign_in

HOUR = timedelta(hours=1)
BODY = Received(headers={}, body=b"{}")


def make(name: str, **options: timedelta) -> Connection:
    now = timezone.now() - timedelta(days=1)
    return connecting.create_connection(name=name, now=now, **options).connection  # type: ignore[arg-type]


def test_a_silent_one_comes_first_and_is_a_fact(acme: TenantRef, harbor: TenantRef) -> None:
    now = timezone.now()
    with entering(acme):
        well, off, refused = make("well"), make("off"), make("refused")
        silent, new = make("gone", silent_after=HOUR), make("new")
        for one in (well, off, refused):
            receiving.receive(one, BODY, now=now)
        receiving.receive(silent, BODY, now=now - 3 * HOUR)
        connecting.update_connection(off, is_enabled=False, now=now)
        Connection.objects.filter(pk=refused.pk).update(last_refused_at=now + HOUR, refused_count=2)
        rounds.tell_silent_connections(now)
        shown = [(one.name, one.said, one.tone) for one in get_senders()]
        [fact] = tell_silent()
        page = sign_in("acme.localhost").get("/admin/").content.decode()
    with entering(harbor):
        theirs = sign_in("harbor.localhost").get("/admin/").content.decode()
    everybody = sign_in("platform.localhost").get("/admin/").content.decode()
    assert shown == [
        ("gone", "silent", "danger"),
        ("refused", "refused 2 times so far: is its secret right?", "danger"),
        ("off", "disabled: what comes waits for a person", "warning"),
        ("well", "1 received", "good"),
        ("new", "nothing received yet", "notice"),
    ]
    assert (fact.text, fact.tone) == ("gone is silent", "danger")
    assert fact.url == f"/admin/sync/connection/{silent.pk}/change/"
    assert new.name in page
    assert "gone is silent" in page
    assert "All flows" not in page
    assert page.index(">gone</a>") < page.index(">refused</a>") < page.index(">well</a>")
    assert "No outside sender is connected" in theirs
    assert "/admin/sync/connection/add/" in theirs
    for private in ("gone", "is silent", "Connections</h2>"):
        assert private not in everybody, private


def test_many_silent_ones_are_one_fact(acme: TenantRef) -> None:
    with entering(acme):
        for n in range(4):
            make(f"feed {n}", silent_after=HOUR)
        rounds.tell_silent_connections(timezone.now())
        [fact] = tell_silent()
    assert (fact.text, fact.url) == ("4 connections are silent", "/admin/sync/connection/")


def test_who_may_not_see_connections_sees_none(acme: TenantRef) -> None:
    with entering(acme):
        make("secret feed", silent_after=HOUR)
        rounds.tell_silent_connections(timezone.now())
        client = sign_in("acme.localhost", username="eve", is_superuser=False)
        shown = client.get("/admin/live/").content.decode()
        assert "secret feed" not in shown
        assert "Connections</h2>" not in shown
    with entering(acme):
        user = get_user_model().objects.get(username="eve")
        user.user_permissions.add(Permission.objects.get(codename="view_connection"))
        assert "secret feed" in client.get("/admin/live/").content.decode()


def test_the_card_is_one_query_however_many_there_are(acme: TenantRef) -> None:
    with entering(acme):
        for n in range(30):
            make(f"feed {n}")
        with CaptureQueriesContext(database_connection) as seen:
            assert len(get_senders()) == 20
    assert len([query for query in seen if "sync_connection" in query["sql"]]) == 1
