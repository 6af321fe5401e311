"""Events as mail, through the engine, to a real SMTP server."""

import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apps.dispatch.models import PendingDelivery
from apps.events.models import Delivery, Event
from apps.fallback.models import DeadLetter
from apps.fallback.operations import retry
from apps.sync import operations
from apps.sync.models import Endpoint, Exchange
from apps.sync.trying import try_endpoint
from apps.tenants.entering import TenantRef, entering
from pms_events.errors import PermanentError
from tests.engine.handlers import handler
from tests.processes import free_port
from tests.sync.conftest import EndpointOf, exchanges, publish
from tests.sync.mail_server import HANG, SENDER, MailServer
from tests.sync.test_sending import certify as certify

RunAll = Callable[..., int]
NIGHT = "mailto:night@acme.example"


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    """A mail server that takes everything."""
    with MailServer() as found:
        found.set_up(settings)
        yield found


def letters(tenant: TenantRef) -> list[tuple[str, str, str]]:
    """Reason, error class and message of a tenant's dead letters, the oldest first."""
    with entering(tenant):
        rows = DeadLetter.objects.order_by("delivery_id")
        return list(rows.values_list("reason", "error_class", "message"))


def test_an_event_is_mailed_to_one_address_and_can_be_told_from_its_repeat(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll, server: MailServer
) -> None:
    endpoint_of(acme, NIGHT)
    publish(acme, "e1", subject="room:101")
    run_all()
    [mail] = server.received
    assert (mail.sender, mail.recipients) == ("alerts@pms.example", ["night@acme.example"])
    with entering(acme):
        event = Event.objects.get()
        delivery = Delivery.objects.get()
    said = mail.message
    assert said["From"] == SENDER
    assert said["To"] == "night@acme.example"
    assert said["Subject"] == "[Acme] custom.thing: room:101"
    assert said["Message-ID"] == f"<dlv_{delivery.id}.{event.uid.hex[:12]}@pms.example>"
    assert said["Auto-Submitted"] == "auto-generated"
    assert said["X-PMS-Event"] == str(event.uid)
    assert (said.get_content_type(), said.is_multipart()) == ("text/plain", False)
    assert f"http://acme.localhost:8000/admin/events/event/{event.uid}/change/" in mail.text
    assert '"n": "e1"' in mail.text
    assert (delivery.state, delivery.note.rpartition(" in ")[0]) == (
        "done",
        "accepted by the mail server",
    )
    [kept] = exchanges(acme)
    assert (kept.status, kept.response_body) == (250, "2.0.0 queued as 7")
    assert kept.request_headers["Message-ID"] == said["Message-ID"]
    assert kept.request_body == mail.text
    assert str(kept) == "mail to night@acme.example: accepted by the mail server"


def test_what_is_put_off_is_mailed_later_under_the_same_message_id(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll, settings: Settings
) -> None:
    with MailServer(RCPT=["450 4.2.0 greylisted"], DATA=["451 4.3.0 busy"]) as server:
        server.set_up(settings)
        endpoint_of(acme, NIGHT)
        publish(acme, "1")
        run_all(also_scheduled=True)
    assert len(server.received) == 1
    kept = exchanges(acme)
    assert [(e.attempt, e.status, e.response_headers, e.response_body) for e in kept] == [
        (1, 450, {"in-answer-to": "RCPT TO"}, "4.2.0 greylisted"),
        (2, 451, {"in-answer-to": "DATA"}, "4.3.0 busy"),
        (3, 250, {"in-answer-to": "DATA"}, "2.0.0 queued as 7"),
    ]
    assert {e.request_headers["Message-ID"] for e in kept} == {
        server.received[0].message["Message-ID"]
    }
    assert letters(acme) == []


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            {"RCPT": ["550 5.1.1 no such user"]},
            "no mail is taken for night@acme.example (550 to RCPT TO: 5.1.1 no such user): "
            "correct the endpoint's address, then retry; or discard",
        ),
        (
            {"DATA": ["554 5.7.1 looks like spam"]},
            "the mail server refused this message (554 to DATA: 5.7.1 looks like spam): "
            "show it to the operator, then retry; or discard",
        ),
    ],
)
def test_what_is_refused_for_good_asks_a_person_at_once(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll, settings: Settings,
    script: dict[str, list[str]], message: str,
) -> None:  # fmt: skip
    with MailServer(**script) as server:
        server.set_up(settings)
        endpoint_of(acme, NIGHT)
        publish(acme, "1")
        run_all(also_scheduled=True)
        assert letters(acme) == [("permanent", "MailRefused", message)]
        assert (server.received, len(exchanges(acme))) == ([], 1)
        with entering(acme):  # a person has mended it: the same mail, told by the same id
            retry([DeadLetter.objects.get()], actor="ann", now=DeadLetter.objects.get().died_at)
        run_all()
    assert len(server.received) == 1
    first, second = exchanges(acme)
    assert first.request_headers["Message-ID"] == second.request_headers["Message-ID"]


@pytest.mark.parametrize(
    ("script", "answered"),
    [
        ({"MAIL": ["553 5.7.1 not your sender"]}, "553 to MAIL FROM: 5.7.1 not your sender"),
        ({"RCPT": ["530 5.7.0 log in first"]}, "530 to RCPT TO: 5.7.0 log in first"),
    ],
)
def test_what_is_refused_to_ourselves_is_tried_again_and_names_the_settings(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll, settings: Settings,
    script: dict[str, list[str]], answered: str,
) -> None:  # fmt: skip
    with MailServer(**{name: said * 8 for name, said in script.items()}) as server:
        server.set_up(settings)
        endpoint_of(acme, NIGHT)
        publish(acme, "1")
        run_all(also_scheduled=True)
    assert letters(acme) == [
        (
            "exhausted",
            "DeliveryFailed",
            f"the mail server does not let us send ({answered}): "
            "the operator has to look at EMAIL_URL and EMAIL_FROM",
        )
    ]
    assert len(exchanges(acme)) == 8


def test_a_refused_login_is_tried_again_and_no_credential_is_kept(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll, settings: Settings
) -> None:
    with MailServer(login="535 5.7.8 not postman with letmein") as server:
        server.set_up(settings, EMAIL_HOST_USER="postman", EMAIL_HOST_PASSWORD="letmein")
        endpoint_of(acme, NIGHT)
        publish(acme, "1")
        run_all()
        [kept] = exchanges(acme)
        assert (kept.status, kept.response_body) == (535, "5.7.8 not ••• with •••")
        assert "letmein" not in str(vars(kept))
        assert PendingDelivery.objects.get().state == "scheduled"
    assert server.received == []


@pytest.mark.parametrize("step", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_a_server_that_hangs_is_left_in_time(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll, settings: Settings, step: str
) -> None:
    settings.SMTP_TIMEOUT = timedelta(seconds=0.3)
    with MailServer(**{step: [HANG]}) as server:
        server.set_up(settings)
        endpoint_of(acme, NIGHT)
        publish(acme, "1")
        run_all()
    [kept] = exchanges(acme)
    assert (kept.status, kept.error) == (None, "no complete answer within 0.3 s")
    assert 300 <= kept.duration_ms < 5000
    assert PendingDelivery.objects.get().state == "scheduled"


def test_a_server_that_does_not_greet_is_left_in_time(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll, settings: Settings
) -> None:
    settings.SMTP_TIMEOUT = timedelta(seconds=0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()
        settings.DEFAULT_FROM_EMAIL = SENDER
        endpoint_of(acme, NIGHT)
        publish(acme, "1")
        run_all()
    assert [e.error for e in exchanges(acme)] == ["no complete answer within 0.3 s"]


def test_what_was_taken_is_taken_though_the_server_then_falls_silent(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll, settings: Settings
) -> None:
    settings.SMTP_TIMEOUT = timedelta(seconds=0.5)
    with MailServer(QUIT=[HANG]) as server:
        server.set_up(settings)
        endpoint_of(acme, NIGHT)
        publish(acme, "1")
        run_all(also_scheduled=True)
    assert len(server.received) == 1
    assert [(e.status, e.error) for e in exchanges(acme)] == [(250, "")]


def test_500_deaths_of_one_cause_are_one_mail(
    acme: TenantRef, harbor: TenantRef, endpoint_of: EndpointOf, run_all: RunAll, server: MailServer
) -> None:
    with entering(acme):
        operations.create_endpoint(url=NIGHT)
    with entering(harbor):
        operations.create_endpoint(url="mailto:desk@harbor.example")

    def fail(payload: object, context: object) -> None:
        raise PermanentError("there is no property 'x'")

    with handler(fail):
        publish(acme, *map(str, range(500)), subject="ada@example.com")
        run_all()
    [mail] = server.received
    assert mail.recipients == ["night@acme.example"]
    assert mail.message["Subject"] == (
        "[Acme] Needs a person: custom.thing could not be handled"
    )  # fmt: skip
    with entering(acme):
        assert DeadLetter.objects.count() == 500
        letter = DeadLetter.objects.get(
            pk=Event.objects.get(type="delivery.died").data["dead_letter_id"]
        )
    base = "http://acme.localhost:8000/admin/fallback/deadletter/"
    assert f"{base}?fingerprint={letter.fingerprint}\n" in mail.text
    assert f"{base}{letter.pk}/change/\n" in mail.text
    assert "ada" not in str(mail.message)
    assert exchanges(harbor) == []


def test_a_mail_server_that_is_down_is_one_alert_and_breeds_none(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll, settings: Settings
) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    settings.DEFAULT_FROM_EMAIL = SENDER
    endpoint_of(acme, NIGHT, "custom.*", "delivery.died")
    endpoint_of(acme, "mailto:desk@acme.example", "custom.*", "delivery.died")
    publish(acme, *map(str, range(5)))
    run_all(also_scheduled=True)
    with entering(acme):
        assert Event.objects.filter(type="delivery.died").count() == 1
        died = DeadLetter.objects.values_list("event_type", flat=True)
        assert sorted(died) == ["custom.thing"] * 10 + ["delivery.died"] * 2
        assert {m for _, _, m in letters(acme)} == {
            "the mail server gave no answer: connection refused: nothing listens there"
        }
    assert PendingDelivery.objects.count() == 0


def test_an_endpoint_whose_mail_server_is_not_set_any_more_asks_a_person(
    acme: TenantRef,
    endpoint_of: EndpointOf,
    run_all: RunAll,
    server: MailServer,
    settings: Settings,
) -> None:
    endpoint, _ = endpoint_of(acme, NIGHT)
    settings.EMAIL_HOST = ""
    publish(acme, "1")
    run_all(also_scheduled=True)
    message = (
        "no mail can be sent from here: the operator has to set EMAIL_URL and EMAIL_FROM first"
    )
    assert letters(acme) == [("permanent", "NothingSent", message)]
    assert [(e.status, e.error) for e in exchanges(acme)] == [(None, message)]
    with entering(acme):  # what is there can still be changed and switched off
        operations.update_endpoint(endpoint, url=NIGHT, is_enabled=False)
        assert Endpoint.objects.get().is_enabled is False
    assert server.received == []


def test_a_test_is_mailed_at_once_also_by_a_disabled_endpoint(
    acme: TenantRef, endpoint_of: EndpointOf, server: MailServer
) -> None:
    endpoint, _ = endpoint_of(acme, NIGHT)
    with entering(acme):
        operations.update_endpoint(endpoint, is_enabled=False)
        exchange = try_endpoint(endpoint, now=endpoint.created_at)
        assert Exchange.objects.get() == exchange
    [mail] = server.received
    assert exchange.status == 250
    assert mail.message["Subject"] == "[Acme] Test: mail arrives here"
    assert mail.message["Message-ID"].strip().startswith("<test_")


def test_no_header_can_be_smuggled_in_by_an_event(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll, server: MailServer
) -> None:
    endpoint_of(acme, NIGHT)
    subject = "room\r\nBcc: eve@evil.example\r\n\r\n" + "Zoë " * 50
    publish(acme, "1", subject=subject)
    run_all()
    [mail] = server.received
    assert mail.recipients == ["night@acme.example"]
    assert mail.message["Bcc"] is None
    shown = mail.message["Subject"].strip()  # it is folded over several lines
    assert shown.startswith("[Acme] custom.thing: room Bcc: eve@evil.example Zoë Zoë")
    assert (len(shown), shown[-1]) == (150, "…")


@pytest.mark.parametrize(
    ("way", "setting"), [("tls", "EMAIL_USE_SSL"), ("starttls", "EMAIL_USE_TLS")]
)
def test_mail_goes_over_tls_to_a_server_whose_certificate_is_right(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll, settings: Settings,
    certify: Callable[..., ssl.SSLContext], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    way: str, setting: str,
) -> None:  # fmt: skip
    options: dict[str, Any] = {way: certify("127.0.0.1")}
    with MailServer(**options) as server:
        server.set_up(settings, **{setting: True})
        endpoint_of(acme, NIGHT)
        publish(acme, "1")
        run_all()
        assert server.received == []
        assert "CERTIFICATE_VERIFY_FAILED" in exchanges(acme)[0].error
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        run_all(also_scheduled=True)
        assert len(server.received) == 1


@pytest.mark.parametrize("way", ["tls", "starttls"])
def test_a_server_that_hangs_behind_tls_is_left_in_time(
    acme: TenantRef, endpoint_of: EndpointOf, run_all: RunAll, settings: Settings,
    certify: Callable[..., ssl.SSLContext], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:  # fmt: skip
    settings.SMTP_TIMEOUT = timedelta(seconds=0.5)
    options: dict[str, Any] = {way: certify("127.0.0.1"), "RCPT": [HANG]}
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    with MailServer(**options) as server:
        server.set_up(settings, **{f"EMAIL_USE_{'SSL' if way == 'tls' else 'TLS'}": True})
        endpoint_of(acme, NIGHT)
        publish(acme, "1")
        run_all()
        assert "RCPT" in server.asked
    assert [e.error for e in exchanges(acme)] == ["no complete answer within 0.5 s"]
