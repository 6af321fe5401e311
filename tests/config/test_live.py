"""The live view on the home pages: each sees its own, the platform sees no payload."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.dispatch.caps import set_cap
from apps.dispatch.models import Pulse
from apps.dispatch.progress import Counts
from apps.dispatch.sampling import take_sample
from apps.engine import router
from apps.fallback.models import DeadLetter
from apps.sync.operations import create_endpoint, disable_endpoint
from apps.sync.trying import try_endpoint
from apps.tenants.entering import TenantRef, entering
from config.live import charts, workers
from config.live.wording import describe_span
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.engine.handlers import handler
from tests.fallback.conftest import die as die
from tests.fallback.test_admin import sign_in
from tests.processes import free_port
from tests.sync.mail_server import MailServer

Die = Callable[..., list[DeadLetter]]
NOW = datetime(2026, 7, 1, 12, 7, 30, tzinfo=UTC)


def home(host: str) -> str:
    client = sign_in(host)
    page = client.get("/admin/").content.decode()
    fragment = client.get("/admin/live/").content.decode()
    assert fragment.count('id="live"') == 1
    assert "<html" not in fragment
    return page


def send(tenant: TenantRef, *ids: str) -> None:
    with entering(tenant):
        publish_many(
            [
                Envelope(id=id, source="t", type="custom.a", subject="ada", data={"who": "ada"})
                for id in ids
            ]
        )


def test_each_tenant_sees_its_own_and_the_platform_no_payload(
    acme: TenantRef, harbor: TenantRef, die: Die
) -> None:
    die(acme, "1", "2")
    with handler():
        send(acme, "a", "b", "c")
        router.route()
        take_sample(now=timezone.now())
    with entering(acme):
        endpoint, _ = create_endpoint(url="https://hooks.example.com/secret-path")
        disable_endpoint(endpoint, reason="it answered 410 Gone")
        ours = home("acme.localhost")
    with entering(harbor):
        theirs = home("harbor.localhost")
    everybody = home("platform.localhost")
    assert "2 need a person" in ours
    assert "2 failures in the last hour" in everybody
    assert "of 1 tenant, ranked below" in everybody
    assert "All flows" not in everybody
    assert "<strong>3</strong> in the backlog: 1 ready, 2 waiting" in ours
    assert "disabled: it answered 410 Gone" in ours
    assert "secret-path" not in ours
    assert "Nothing has come in yet" in theirs
    assert "need a person" not in theirs
    assert "hooks.example.com" not in theirs
    assert "<strong>3</strong> in the backlog: 1 ready, 2 waiting" in everybody
    assert '<a href="http://acme.localhost/admin/">Acme</a>' in everybody
    for private in ("ada", "nowhere", "hooks.example.com", "need a person"):
        assert private not in everybody, private


def test_pauses_and_stalls_are_said_to_whom_they_concern(
    acme: TenantRef, harbor: TenantRef
) -> None:
    now = timezone.now()
    set_cap(by="ann", now=now, category="messaging", tenant_id=acme.id, reason="audit")
    set_cap(by="root@db-7", now=now, category="sync", reason="network")
    with handler():
        send(acme, "a")
        router.route()
    take_sample(now=now)
    Pulse.objects.create(name="sweep", seen_at=now)
    since = now - timedelta(minutes=3)
    Pulse.objects.create(name="automation", seen_at=now, waiting_since=since, stuck_since=now)
    with entering(acme):
        ours = home("acme.localhost")
    with entering(harbor):
        theirs = home("harbor.localhost")
    everybody = home("platform.localhost")
    assert "Messaging is paused" in ours
    assert "Automation is stuck for 3 min" in ours
    assert "By the platform: network" in theirs
    assert "root@db-7" not in theirs
    assert "Messaging" not in theirs
    assert "stuck" not in theirs
    assert "Messaging of Acme is paused" in everybody
    assert "Automation is stuck for 3 min" in everybody


def test_all_flows_when_nothing_is_wrong(acme: TenantRef, run_all: Callable[..., int]) -> None:
    with handler():
        send(acme, "a", "b")
        run_all()
    Pulse.objects.create(name="sweep", seen_at=timezone.now())
    take_sample(now=timezone.now())
    with entering(acme):
        page = home("acme.localhost")
    assert "All flows" in page
    assert "Nobody sweeps" not in page


def test_who_may_see_nothing_gets_no_links_and_no_endpoints(acme: TenantRef, die: Die) -> None:
    die(acme, "1")
    with entering(acme):
        create_endpoint(url="https://hooks.example.com/")
        client = sign_in("acme.localhost", username="eve", is_superuser=False)
    shown = client.get("/admin/live/").content.decode()
    assert "1 needs a person" in shown
    assert "/admin/fallback/" not in shown
    assert "hooks.example.com" not in shown


def test_mail_addresses_are_receivers_whose_health_is_told_in_words(
    acme: TenantRef, settings: Settings
) -> None:
    with MailServer() as server, entering(acme):
        server.set_up(settings)
        for name in ("night", "desk"):
            endpoint, _ = create_endpoint(url=f"mailto:{name}@acme.example")
            if name == "desk":
                settings.EMAIL_PORT = free_port()
            try_endpoint(endpoint, now=NOW)
    with entering(acme):
        page = home("acme.localhost")
    assert '<span class="badge good">accepted by the mail server</span>' in page
    assert "no answer: connection refused: nothing listens there" in page
    assert ">night@acme.example</a>" in page


def test_nobody_looks_without_signing_in(acme: TenantRef) -> None:
    with entering(acme):
        client = sign_in("acme.localhost")
    client.logout()
    for path in ("/admin/live/", "/admin/live/workers/"):
        answer = client.get(path)
        assert (answer.status_code, answer.url.split("?")[0]) == (302, "/admin/login/")


def test_a_look_reads_no_hot_table(acme: TenantRef, die: Die) -> None:
    die(acme, "1")
    with entering(acme):
        client = sign_in("acme.localhost")
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get("/admin/live/").status_code == 200
    asked = [query["sql"] for query in seen]
    assert not [sql for sql in asked if "pendingdelivery" in sql or "dispatch_arrival" in sql]
    assert len(asked) < 20


def test_a_broker_that_is_away_is_said_in_words(
    acme: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = f"redis://127.0.0.1:{free_port()}/0"
    app = workers.current_app
    connect = app.connection_for_write
    monkeypatch.setattr(app, "connection_for_write", lambda: connect(away))
    monkeypatch.setattr(workers, "_kept", None)
    with entering(acme):
        client = sign_in("acme.localhost")
    shown = client.get("/admin/live/workers/").content.decode()
    assert "The broker is away" in shown
    assert "Nobody listens" not in shown
    monkeypatch.setattr(workers, "_kept", None)


def test_a_chart_says_in_words_what_it_draws() -> None:
    times = charts.buckets(NOW)
    assert (len(times), times[-1]) == (36, NOW.replace(minute=5, second=0))
    drawn = charts.draw(
        id="x", kind="done", of="sync", times=times, counts=[0] * 34 + [8, Counts(done=4).done]
    )
    assert drawn.title == "Done of sync, last 3 hours"
    assert drawn.description == "12 in all; at most 8 in five minutes; 4 in the last."
    assert [bar.height for bar in drawn.bars[-3:]] == [0, 36, 18]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 s"), (59, "59 s"), (60, "1 min"), (7199, "1 h"), (86400, "24 h"), (172800, "2 days")],
)
def test_spans_are_short(seconds: int, said: str) -> None:
    assert describe_span(timedelta(seconds=seconds)) == said
