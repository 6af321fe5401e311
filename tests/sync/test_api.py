"""`/api/v1/endpoints` over a socket."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks.webhooks import Webhook

from apps.sync import operations
from apps.sync.models import Endpoint, Exchange
from apps.tenants.entering import TenantRef, entering
from tests.conftest import Api
from tests.sync.conftest import EndpointOf, publish
from tests.sync.receiver import Receiver, Reply


@pytest.fixture
def api(acme: TenantRef, api_of: Callable[..., Api]) -> Api:
    return api_of(acme)


def test_an_endpoint_is_made_read_changed_and_deleted(api: Api, acme: TenantRef) -> None:
    made = api.post("endpoints", {"url": "https://a.example/", "patterns": ["booking.*"]})
    assert made.status_code == 201
    body = made.json()
    secret = body.pop("secret")
    assert secret.startswith("whsec_")
    path = f"endpoints/{body['id']}"
    assert api.get(path).json() == body
    changed = api.patch(path, {"description": "ours", "is_enabled": False}).json()
    assert (changed["description"], changed["is_enabled"], changed["patterns"]) == (
        "ours",
        False,
        ["booking.*"],
    )
    assert changed["disabled_reason"] == "by a person"
    enabled = api.post(f"{path}/enable").json()
    assert (enabled["is_enabled"], enabled["disabled_reason"]) == (True, "")
    listed = api.get("endpoints").json()["results"]
    assert [row["id"] for row in listed] == [body["id"]]
    assert "secret" not in listed[0]
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    with entering(acme):
        assert Endpoint.objects.count() == 0


def test_patterns_left_out_mean_all(api: Api) -> None:
    assert api.post("endpoints", {"url": "https://a.example/"}).json()["patterns"] == ["*"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/url"),
        ({"url": "ftp://a.example/"}, "#/url"),
        ({"url": "https://me:pw@a.example/"}, "#/url"),
        ({"url": "https://a..b/"}, "#/url"),
        ({"url": "https://a.example/" + "x" * 2000}, "#/url"),
        ({"url": "https://a.example/", "patterns": []}, "#/patterns"),
        ({"url": "https://a.example/", "patterns": ["No!"]}, "#/patterns"),
    ],
)
def test_a_bad_endpoint_is_refused_with_a_pointer(
    api: Api, acme: TenantRef, body: dict[str, Any], pointer: str
) -> None:
    refused = api.post("endpoints", body)
    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    with entering(acme):
        assert Endpoint.objects.count() == 0


def test_a_test_message_is_signed_has_an_id_of_its_own_and_answers_the_exchange(api: Api) -> None:
    with Receiver(Reply(), Reply(status=500, body=b"no")) as receiver:
        made = api.post("endpoints", {"url": receiver.url}).json()
        path = f"endpoints/{made['id']}/test"
        first, second = api.post(path).json(), api.post(path).json()
    assert [(e["status"], e["response_body"]) for e in (first, second)] == [(200, ""), (500, "no")]
    one, two = receiver.received
    assert one.webhook_id != two.webhook_id
    said = Webhook(made["secret"]).verify(one.body, one.headers)
    assert (said["type"], said["data"]) == ("custom.endpoint_tested", {"endpoint": made["id"]})
    assert first["event_uid"] == said["id"]
    assert first["delivery_id"] is None


def test_a_test_of_what_does_not_answer_says_so(api: Api) -> None:
    with Receiver() as receiver:
        closed = receiver.url
    made = api.post("endpoints", {"url": closed}).json()
    told = api.post(f"endpoints/{made['id']}/test")
    assert (told.status_code, told.json()["status"]) == (200, None)
    assert told.json()["error"] == "connection refused: nothing listens there"


def test_a_rotated_secret_is_shown_once_and_signs_beside_the_old_one(api: Api) -> None:
    with Receiver() as receiver:
        made = api.post("endpoints", {"url": receiver.url}).json()
        rotated = api.post(f"endpoints/{made['id']}/rotate-secret").json()
        api.post(f"endpoints/{made['id']}/test")
    assert rotated["secret"] != made["secret"]
    assert rotated["previous_valid_until"] is not None
    [request] = receiver.received
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(request.body, request.headers)
    assert "secret" not in api.get(f"endpoints/{made['id']}").json()


def test_exchanges_come_newest_first_in_pages(
    api: Api, acme: TenantRef, endpoint_of: EndpointOf, run_all: Callable[..., int]
) -> None:
    with Receiver() as receiver, Receiver() as other:
        endpoint, _ = endpoint_of(acme, receiver.url)
        endpoint_of(acme, other.url)
        publish(acme, "1", "2", "3")
        run_all()
    page = api.get(f"endpoints/{endpoint.pk}/exchanges", limit=2).json()
    assert page["previous"] is None
    cursor = page["next"].split("cursor=")[1].split("&")[0]
    rest = api.get(f"endpoints/{endpoint.pk}/exchanges?limit=2&cursor={cursor}").json()
    shown = [row["id"] for row in page["results"] + rest["results"]]
    with entering(acme):
        kept = Exchange.objects.filter(endpoint=endpoint).order_by("-id")
        assert shown == list(kept.values_list("id", flat=True))
    assert len(shown) == 3
    assert rest["next"] is None


def test_another_tenant_cannot_see_change_or_try_an_endpoint(
    acme: TenantRef, harbor: TenantRef, endpoint_of: EndpointOf, api_of: Callable[..., Api]
) -> None:
    with Receiver() as receiver:
        endpoint, secret = endpoint_of(acme, receiver.url)
        stranger = api_of(harbor)
        path = f"endpoints/{endpoint.pk}"
        answers = [
            stranger.get(path),
            stranger.get(f"{path}/exchanges"),
            stranger.patch(path, {"url": "https://evil.example/"}),
            stranger.delete(path),
            *[stranger.post(f"{path}/{what}") for what in ("test", "rotate-secret", "enable")],
        ]
    assert [answer.status_code for answer in answers] == [404] * 7
    assert stranger.get("endpoints").json()["results"] == []
    assert receiver.received == []
    with entering(acme):
        kept = Endpoint.objects.get()
        assert kept.url == receiver.url
        assert operations.get_secrets(kept, now=kept.created_at) == [secret]


def test_a_key_without_the_scope_is_refused_and_changes_nothing(
    acme: TenantRef, api_of: Callable[..., Api]
) -> None:
    api = api_of(acme, scopes=["events:read", "events:write", "fallback", "replays"])
    answers = [
        api.get("endpoints"),
        api.post("endpoints", {"url": "https://a.example/"}),
        api.get(f"endpoints/{uuid4()}/exchanges"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 3
    with entering(acme):
        assert Endpoint.objects.count() == 0


def test_a_misspelt_member_makes_no_endpoint(acme: TenantRef, api_of: Callable[..., Api]) -> None:
    """It would have been sent everything instead of bookings."""
    made = api_of(acme).post(
        "endpoints", {"url": "https://hooks.example.com/in", "pattern": ["booking.*"]}
    )
    assert made.status_code == 422
    assert [e["pointer"] for e in made.json()["errors"]] == ["#/pattern"]
    with entering(acme):
        assert not Endpoint.objects.exists()
