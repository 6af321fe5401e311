"""`/api/v1/connections` over a socket."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.sync import connecting
from apps.sync.models import Connection
from apps.tenants.entering import TenantRef, entering
from apps.tenants.models import HookToken
from tests.conftest import Api
from tests.sync.connections import Sender, cloud_event, count_rows


@pytest.fixture
def api(acme: TenantRef, api_of: Callable[..., Api]) -> Api:
    return api_of(acme)


def sender_of(web: str, tenant: TenantRef, body: dict[str, Any]) -> Sender:
    """The sender that a person set up with what the API answered."""
    with entering(tenant):
        connection = Connection.objects.get(pk=body["id"])
    made = connecting.Made(connection=connection, token=body["token"], secret=body.get("secret"))
    return Sender(web, tenant, made)


def test_a_connection_is_made_read_changed_and_deleted(api: Api, acme: TenantRef) -> None:
    answer = api.post("connections", {"name": "Channel manager", "silent_after_seconds": 3600})
    assert answer.status_code == 201
    made = answer.json()
    token, url = made.pop("token"), made.pop("url")
    assert token.startswith("hk_")
    assert url == f"http://acme.localhost/hooks/{token}"
    assert "secret" not in made
    assert (made["connector"], made["health"], made["is_signed"]) == ("generic", "new", False)
    path = f"connections/{made['id']}"
    assert api.get(path).json() == made
    changed = api.patch(path, {"name": "CM", "silent_after_seconds": None}).json()
    assert (changed["name"], changed["silent_after_seconds"]) == ("CM", None)
    assert api.patch(path, {"is_enabled": False}).json()["health"] == "disabled"
    [listed] = api.get("connections").json()["results"]
    assert (listed["id"], listed["name"]) == (made["id"], "CM")
    assert not {"token", "url", "secret"} & listed.keys()
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    assert HookToken.objects.count() == 0


def test_the_token_is_kept_as_a_hash_alone(api: Api, acme: TenantRef) -> None:
    token = api.post("connections", {"name": "a"}).json()["token"]
    [kept] = HookToken.objects.all()
    assert token.encode() not in bytes(kept.token_hash)
    assert (kept.tenant_id, len(kept.token_hash)) == (acme.id, 32)


def test_a_secret_is_made_or_given_and_kept_encrypted(api: Api, acme: TenantRef) -> None:
    given = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = api.post("connections", {"name": "a", "is_signed": True}).json()
    own = api.post("connections", {"name": "b", "secret": given}).json()
    assert made["secret"].startswith("whsec_")
    assert (own["secret"], own["is_signed"]) == (given, True)
    with entering(acme):
        for connection in Connection.objects.all():
            assert connection.secret is not None
            assert b"whsec" not in bytes(connection.secret)


def test_a_rotated_token_works_for_a_day_and_twice_ends_it_at_once(
    web: str, api: Api, acme: TenantRef
) -> None:
    made = api.post("connections", {"name": "a"}).json()
    sender, path = sender_of(web, acme, made), f"connections/{made['id']}/rotate-token"
    second = api.post(path).json()["token"]
    for token in (made["token"], second):
        assert sender.post(cloud_event("1"), token=token).status_code == 202
    third = api.post(path).json()["token"]
    statuses = [
        sender.post(cloud_event("1"), token=token).status_code
        for token in (made["token"], second, third)
    ]
    assert statuses == [404, 202, 202]
    HookToken.objects.exclude(valid_until=None).update(valid_until=timezone.now())
    assert sender.post(cloud_event("1"), token=second).status_code == 404
    assert count_rows(acme) == (1, 1)


def test_a_rotated_secret_signs_what_was_not_signed(web: str, api: Api, acme: TenantRef) -> None:
    made = api.post("connections", {"name": "a"}).json()
    sender, path = sender_of(web, acme, made), f"connections/{made['id']}"
    assert sender.post(cloud_event("1")).status_code == 202
    secret = api.post(f"{path}/rotate-secret").json()["secret"]
    assert sender.post(cloud_event("2")).status_code == 401
    assert api.get(path).json()["health"] == "refused"
    assert sender.post_signed(cloud_event("2"), id="2", secret=secret).status_code == 202
    assert api.get(path).json()["health"] == "heard"
    assert api.patch(path, {"is_signed": False}).json()["is_signed"] is False
    assert sender.post(cloud_event("3")).status_code == 202


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/name"),
        ({"name": " "}, "#/name"),
        ({"name": "x" * 101}, "#/name"),
        ({"name": "a", "connector": "fax"}, "#/connector"),
        ({"name": "a", "silent_after_seconds": 0}, "#/silent_after_seconds"),
        ({"name": "a", "silent_after_seconds": 10**12}, "#/silent_after_seconds"),
        ({"name": "a", "silent_after_seconds": "soon"}, "#/silent_after_seconds"),
        ({"name": "a", "secret": "whsec_short"}, "#/secret"),
        ({"name": "a", "secret": "whsec_é"}, "#/secret"),
    ],
)
def test_a_bad_connection_is_refused_with_a_pointer(
    api: Api, acme: TenantRef, body: dict[str, Any], pointer: str
) -> None:
    refused = api.post("connections", body)
    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    with entering(acme):
        assert Connection.objects.count() == 0
    assert HookToken.objects.count() == 0


def test_a_bad_change_changes_nothing(api: Api, acme: TenantRef) -> None:
    made = api.post("connections", {"name": "a"}).json()
    path = f"connections/{made['id']}"
    before = api.get(path).json()
    for body, pointer in (
        ({"name": "b", "silent_after_seconds": 5}, "#/silent_after_seconds"),
        ({"name": "b", "is_signed": True}, "#/is_signed"),
    ):
        refused = api.patch(path, body)
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    bad = api.post(f"{path}/rotate-secret", {"secret": "x"})
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "#/secret")
    assert api.get(path).json() == before


def test_another_tenant_s_connection_is_not_there(
    api: Api, api_of: Callable[..., Api], harbor: TenantRef
) -> None:
    made = api.post("connections", {"name": "a"}).json()
    other, path = api_of(harbor), f"connections/{made['id']}"
    assert other.get("connections").json()["results"] == []
    for answer in (
        other.get(path), other.patch(path, {"name": "b"}), other.delete(path),
        other.post(f"{path}/rotate-token"), other.post(f"{path}/rotate-secret"),
    ):  # fmt: skip
        assert answer.status_code == 404
    assert api.get(path).json()["name"] == "a"
    assert HookToken.objects.count() == 1


def test_the_scope_config_is_needed(api_of: Callable[..., Api], acme: TenantRef) -> None:
    reader = api_of(acme, scopes=["events:read", "events:write"])
    assert reader.get("connections").status_code == 403
    assert reader.post("connections", {"name": "a"}).status_code == 403
    with entering(acme):
        assert Connection.objects.count() == 0


def test_pages_go_on_by_cursor(api: Api, acme: TenantRef) -> None:
    for name in "abc":
        api.post("connections", {"name": name})
    first = api.get("connections", limit=2).json()
    assert [row["name"] for row in first["results"]] == ["a", "b"]
    cursor = first["next"].partition("cursor=")[2].partition("&")[0]
    second = api.session.get(
        f"{api.base_url}/api/v1/connections?limit=2&cursor={cursor}", timeout=10
    ).json()
    assert [row["name"] for row in second["results"]] == ["c"]


def test_of_two_rotations_the_older_token_ends(acme: TenantRef) -> None:
    now = timezone.now()
    with entering(acme):
        made = connecting.create_connection(name="a", now=now)
        connecting.rotate_token(made.connection, now=now)
        connecting.rotate_token(made.connection, now=now)
    until = HookToken.objects.order_by("valid_until").values_list("valid_until", flat=True)
    assert list(until) == [now + timedelta(hours=24), None]
