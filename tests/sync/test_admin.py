"""Endpoints in the tenant's admin: the same rules and the same effects as the API's."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django.fixtures import Settings

from apps.dispatch.models import TargetSubscription
from apps.sync import operations
from apps.sync.alerts import ALERTS
from apps.sync.models import Endpoint
from apps.sync.trying import try_endpoint
from apps.tenants.entering import TenantRef, entering
from tests.sync.conftest import EndpointOf
from tests.sync.mail_server import MailServer
from tests.sync.receiver import Receiver


@pytest.fixture
def client(acme: TenantRef) -> Client:
    """A browser of acme's staff."""
    client = Client(HTTP_HOST="acme.localhost")
    with entering(acme):
        user = get_user_model().objects.create_superuser("ada", "ada@acme.example", "secret")
        client.force_login(user)
    return client


def targets() -> list[tuple[str, list[str]]]:
    return list(TargetSubscription.objects.values_list("target", "patterns"))


def test_an_endpoint_made_changed_and_deleted_keeps_its_subscription_in_step(
    client: Client, acme: TenantRef
) -> None:
    form = {"url": "http://receiver:9000/x", "description": "", "patterns": "booking.*,stay.*"}
    made = client.post("/admin/sync/endpoint/add/", form, follow=True)
    with entering(acme):
        endpoint = Endpoint.objects.get()
        [secret] = operations.get_secrets(endpoint, now=endpoint.created_at)
    assert f"/api/v1/endpoints/{endpoint.pk}/rotate-secret" in made.content.decode()
    assert secret not in made.content.decode()
    assert targets() == [(str(endpoint.pk), ["booking.*", "stay.*"])]
    page = f"/admin/sync/endpoint/{endpoint.pk}"
    shown = client.get(f"{page}/change/").content.decode()
    assert "http://receiver:9000/x" in shown
    assert secret not in shown
    client.post(f"{page}/change/", {**form, "patterns": "*", "is_enabled": "on"})
    assert targets() == [(str(endpoint.pk), ["*"])]
    client.post(f"{page}/change/", form)  # an unticked box: disabled
    assert targets() == []
    client.post(f"{page}/delete/", {"post": "yes"})
    with entering(acme):
        assert Endpoint.objects.count() == 0


def test_a_bad_endpoint_is_refused(client: Client, acme: TenantRef) -> None:
    form = {"url": "ftp://a.example/", "description": "", "patterns": "No!"}
    answer = client.post("/admin/sync/endpoint/add/", form)
    assert answer.status_code == 200
    assert "The URL must be an http or https URL with a host" in answer.content.decode()
    assert "is no event type" in answer.content.decode()
    with entering(acme):
        assert Endpoint.objects.count() == 0
    assert targets() == []


def test_several_are_enabled_and_deleted_at_once(
    client: Client, acme: TenantRef, endpoint_of: EndpointOf
) -> None:
    ids = [str(endpoint_of(acme, f"https://{name}.example/")[0].pk) for name in "ab"]
    with entering(acme):
        for endpoint in Endpoint.objects.all():
            operations.disable_endpoint(endpoint, reason="gone")
    assert targets() == []
    chosen = {"_selected_action": ids}
    client.post("/admin/sync/endpoint/", {"action": "enable", **chosen})
    assert sorted(targets()) == sorted((pk, ["custom.*"]) for pk in ids)
    client.post("/admin/sync/endpoint/", {"action": "delete_selected", "post": "yes", **chosen})
    assert targets() == []
    with entering(acme):
        assert Endpoint.objects.count() == 0


def test_lists_show_the_last_exchange_and_exchanges_are_only_looked_at(
    client: Client, acme: TenantRef, endpoint_of: EndpointOf
) -> None:
    with Receiver() as receiver:
        endpoint, _ = endpoint_of(acme, receiver.url)
        endpoint_of(acme, "https://never.example/")
        with entering(acme):
            exchange = try_endpoint(endpoint, now=endpoint.created_at)
    listed = client.get("/admin/sync/endpoint/").content.decode()
    assert f'200, <time datetime="{exchange.started_at.isoformat()}">' in listed
    assert "none yet" in listed
    for answer in ("refused", "none"):
        assert client.get(f"/admin/sync/exchange/?answer={answer}").status_code == 200
    page = f"/admin/sync/exchange/{exchange.pk}"
    assert "custom.endpoint_tested" in client.get(f"{page}/change/").content.decode()
    assert client.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/sync/exchange/add/").status_code == 403


def test_a_mail_address_is_made_without_patterns_and_gets_the_alerts(
    client: Client, acme: TenantRef, harbor: TenantRef, settings: Settings
) -> None:
    settings.EMAIL_HOST = "mail.example"
    empty = client.get("/admin/sync/endpoint/add/").content.decode()
    assert "mailto:night@acme.example for e-mail" in empty
    assert "a new mail address the alerts alone: delivery.died" in empty
    form = {"url": "mailto:night@acme.example", "description": "the night desk", "patterns": ""}
    made = client.post("/admin/sync/endpoint/add/", form, follow=True).content.decode()
    assert "mailto:night@acme.example" in made
    assert "rotate-secret" not in made
    with entering(acme):
        endpoint = Endpoint.objects.get()
    assert targets() == [(str(endpoint.pk), list(ALERTS))]
    with entering(harbor):
        assert Endpoint.objects.count() == 0
    settings.EMAIL_HOST = ""  # the operator took it away: it can still be switched off
    page = f"/admin/sync/endpoint/{endpoint.pk}/change/"
    assert client.post(page, {**form, "patterns": ""}).status_code == 200  # not emptied
    assert client.post(page, {**form, "patterns": "delivery.died"}).status_code == 302
    with entering(acme):
        kept = Endpoint.objects.get()
    assert (kept.is_enabled, kept.patterns) == (False, ["delivery.died"])


def test_a_webhook_made_without_patterns_gets_everything(client: Client, acme: TenantRef) -> None:
    form = {"url": "https://hooks.example/", "description": "", "patterns": ""}
    client.post("/admin/sync/endpoint/add/", form)
    assert [patterns for _, patterns in targets()] == [["*"]]


def test_a_mail_address_without_a_mail_server_is_refused(
    client: Client, acme: TenantRef, settings: Settings
) -> None:
    settings.EMAIL_HOST = ""
    form = {"url": "mailto:night@acme.example", "description": "", "patterns": ""}
    answer = client.post("/admin/sync/endpoint/add/", form).content.decode()
    assert (
        "The URL cannot be a mail address: no mail can be sent from here: "
        "the operator has to set EMAIL_URL and EMAIL_FROM first" in answer
    )
    with entering(acme):
        assert Endpoint.objects.count() == 0


def test_mail_is_shown_in_words(
    client: Client, acme: TenantRef, endpoint_of: EndpointOf, settings: Settings
) -> None:
    with MailServer(RCPT=["550 5.1.1 no such user"]) as server:
        server.set_up(settings)
        endpoint, _ = endpoint_of(acme, "mailto:night@acme.example")
        with entering(acme):
            refused = try_endpoint(endpoint, now=endpoint.created_at)
        assert (
            "refused by the mail server (550), <time"
            in client.get("/admin/sync/endpoint/").content.decode()
        )
        with entering(acme):
            try_endpoint(endpoint, now=endpoint.created_at)
        assert (
            "accepted by the mail server, <time"
            in client.get("/admin/sync/endpoint/").content.decode()
        )
    page = client.get(f"/admin/sync/exchange/{refused.pk}/change/").content.decode()
    assert "mail to night@acme.example: refused by the mail server (550)" in page
    assert "5.1.1 no such user" in page
