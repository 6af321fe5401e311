"""Endpoints in the tenant's admin: the same rules and the same effects as the API's."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from apps.dispatch.models import TargetSubscription
from apps.sync import operations
from apps.sync.models import Endpoint
from apps.sync.trying import try_endpoint
from apps.tenants.entering import TenantRef, entering
from tests.sync.conftest import EndpointOf
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
    assert f"200 at {exchange.started_at:%Y-%m-%d %H:%M:%S} UTC" in listed
    assert "none yet" in listed
    for answer in ("taken", "refused", "none"):
        assert client.get(f"/admin/sync/exchange/?answer={answer}").status_code == 200
    page = f"/admin/sync/exchange/{exchange.pk}"
    assert "custom.endpoint_tested" in client.get(f"{page}/change/").content.decode()
    assert client.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/sync/exchange/add/").status_code == 403
