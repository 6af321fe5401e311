"""Endpoints and the router's subscriptions, changed together."""

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import getaddresses
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import IntegrityError, transaction
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from apps.dispatch.models import TargetSubscription
from apps.events.models import Event
from apps.sync import operations
from apps.sync.alerts import ALERTS
from apps.sync.checking import BadEndpoint, check_url
from apps.sync.models import Endpoint
from apps.sync.secrets import UnreadableSecret
from apps.tenants.entering import TenantRef, entering
from tests.sync.conftest import EndpointOf

_NOW = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)


def subscriptions() -> list[tuple[int, str, list[str]]]:
    """Tenant, target and patterns of every subscription."""
    rows = TargetSubscription.objects.filter(handler=operations.HANDLER).order_by("id")
    return list(rows.values_list("tenant_id", "target", "patterns"))


def test_a_subscription_follows_its_endpoint(acme: TenantRef, harbor: TenantRef) -> None:
    with entering(harbor):
        other, _ = operations.create_endpoint(url="https://harbor.example/")
    theirs = (harbor.id, str(other.pk), ["*"])
    with entering(acme):
        endpoint, _ = operations.create_endpoint(url="https://a.example/", patterns=["booking.*"])
        target = str(endpoint.pk)
        assert subscriptions() == [theirs, (acme.id, target, ["booking.*"])]
        operations.update_endpoint(endpoint, patterns=["stay.*"])
        assert subscriptions() == [theirs, (acme.id, target, ["stay.*"])]
        operations.update_endpoint(endpoint, is_enabled=False)
        assert subscriptions() == [theirs]
        operations.enable_endpoint(endpoint)
        assert subscriptions() == [theirs, (acme.id, target, ["stay.*"])]
        operations.delete_endpoint(endpoint)
        assert subscriptions() == [theirs]


def test_a_change_from_stale_knowledge_does_not_subscribe_a_disabled_endpoint(
    acme: TenantRef, endpoint_of: EndpointOf
) -> None:
    stale, _ = endpoint_of(acme, "https://a.example/")
    with entering(acme):
        operations.update_endpoint(stale, is_enabled=False)
        assert stale.is_enabled is True
        operations.update_endpoint(stale, patterns=["*"])
        kept = Endpoint.objects.get()
    assert (kept.is_enabled, kept.patterns, kept.disabled_reason) == (False, ["*"], "by a person")
    assert subscriptions() == []


def test_switching_an_endpoint_off_is_told_once_each_time(
    acme: TenantRef, harbor: TenantRef, endpoint_of: EndpointOf
) -> None:
    endpoint, _ = endpoint_of(acme, "https://a.example/hooks/secret")
    with entering(acme):
        operations.update_endpoint(endpoint, is_enabled=False)
        operations.update_endpoint(endpoint, is_enabled=False)
        operations.enable_endpoint(endpoint)
        operations.disable_endpoint(endpoint, reason="it answered 410 Gone")
        operations.disable_endpoint(endpoint, reason="it answered 410 Gone")
        told = Event.objects.filter(type="endpoint.disabled").order_by("recorded_at")
        assert [event.data for event in told] == [
            {"endpoint_id": str(endpoint.pk), "host": "a.example", "reason": reason}
            for reason in ("by a person", "it answered 410 Gone")
        ]
    with entering(harbor):
        assert Event.objects.count() == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda e: operations.update_endpoint(e, description="x"),
        lambda e: operations.rotate_secret(e, now=_NOW),
        operations.delete_endpoint,
    ],
    ids=["update", "rotate", "delete"],
)
def test_a_change_of_a_deleted_endpoint_is_refused(
    acme: TenantRef, endpoint_of: EndpointOf, change: Callable[[Endpoint], Any]
) -> None:
    gone, _ = endpoint_of(acme, "https://a.example/")
    with entering(acme):
        Endpoint.objects.all().delete()
        with pytest.raises(Endpoint.DoesNotExist):
            change(gone)
        assert Endpoint.objects.count() == 0


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example", "ftp://hooks.example/", "file:///etc/passwd", "http://", "http:///x",
        "http://me:pass@hooks.example/", "http://me@hooks.example/", "http://hooks.example:0/",
        "http://hooks.example:99999/", "http://hooks.example:x/", "http://[::1/", "http://a..b/",
        "http://exa mple.example/", f"http://{'a' * 64}.example/", "http://*.example/",
        "http://hooks.example/\x00", f"http://hooks.example/{'a' * 2000}",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_called_is_refused(acme: TenantRef, url: str) -> None:
    with entering(acme):
        with pytest.raises(BadEndpoint) as caught:
            operations.create_endpoint(url=url)
        assert caught.value.field == "url"
        assert Endpoint.objects.count() == 0
    assert subscriptions() == []


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080/x?y=1", "https://bücher.example/", "http://[::1]:80/", "http://h"],
)
def test_a_url_that_can_be_called_is_taken(acme: TenantRef, url: str) -> None:
    with entering(acme):
        operations.create_endpoint(url=url)
        assert Endpoint.objects.get().url == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mailto:", "must be one plain address, such as mailto:night@acme.example"),
        ("mailto:night", "must be one plain address, such as mailto:night@acme.example"),
        ("mailto:night@acme", "must be one plain address, such as mailto:night@acme.example"),
        ("mailto:a@b@acme.example", "must be one plain address, such as mailto:night@acme.example"),
        (
            "mailto:.night@acme.example",
            "must be one plain address, such as mailto:night@acme.example",
        ),
        (
            "mailto://night@acme.example",
            "must be one plain address, such as mailto:night@acme.example, without //",
        ),
        (
            "mailto:night@acme.example?cc=a@b.example",
            "must be the address alone, without ?subject=",
        ),
        ("mailto:night@acme.example#x", "must be the address alone, without ?subject="),
        (
            "mailto:a@acme.example,b@acme.example",
            "must name one address: make an endpoint for each",
        ),
        (
            "mailto:a@acme.example;b@acme.example",
            "must name one address: make an endpoint for each",
        ),
        ("mailto:night%40acme.example", "must have the address as it is, without %-encoding"),
        ("mailto:Night <night@acme.example>", "must not contain spaces or line breaks"),
        ("mailto:night@acme.example\r\nBcc:x@y.example", "must not contain spaces or line breaks"),
        ("mailto:night@acme.example\x00", "must not contain spaces or line breaks"),
        ('mailto:"night"@acme.example', "without name, quotes or brackets"),
        ("mailto:<night@acme.example>", "without name, quotes or brackets"),
        ("mailto:night@[127.0.0.1]", "without name, quotes or brackets"),
        (f"mailto:{'a' * 65}@acme.example", "must be an address of at most 254 characters"),
        (f"mailto:a@{'b' * 60}{'.example' * 30}", "must be an address of at most 254 characters"),
        ("mailto:zoë@acme.example", "must have plain letters (ASCII) before the @"),
        (
            "mailto:night@bücher.example",
            "must have the domain in its ASCII form: xn--bcher-kva.example",
        ),
        ("mailto:night@b..ü", "must have the domain in its ASCII form"),
    ],
)
def test_an_address_that_is_not_plain_is_refused_with_the_reason(
    acme: TenantRef, settings: Settings, url: str, why: str
) -> None:
    settings.EMAIL_HOST = "mail.example"
    with entering(acme):
        with pytest.raises(BadEndpoint, match=re.escape(why)) as caught:
            operations.create_endpoint(url=url)
        assert caught.value.field == "url"
        assert Endpoint.objects.count() == 0
    assert subscriptions() == []


@pytest.mark.parametrize(
    "url",
    ["mailto:night@acme.example", "MAILTO:night+alerts@acme.example", "mailto:o'hara@acme.example",
     "mailto:night@xn--bcher-kva.example"],
)  # fmt: skip
def test_a_mail_address_is_taken_and_gets_the_alerts_alone(
    acme: TenantRef, harbor: TenantRef, settings: Settings, url: str
) -> None:
    settings.EMAIL_HOST = "mail.example"
    with entering(acme):
        endpoint, _ = operations.create_endpoint(url=url)
        assert Endpoint.objects.get().host == url[7:]
    assert subscriptions() == [(acme.id, str(endpoint.pk), list(ALERTS))]
    with entering(harbor):
        assert Endpoint.objects.count() == 0


@given(st.text(alphabet="ab@.,;:<>()[]\"'\\ \r\n\t\x00%?#+-_/é\u2028", max_size=20))
def test_an_address_that_is_taken_is_one_address_in_every_reading(text: str) -> None:
    address = f"{text}@acme.example"
    with override_settings(EMAIL_HOST="mail.example"):
        try:
            check_url(f"mailto:{address}")
        except BadEndpoint:
            return
    assert getaddresses([address]) == [("", address)]
    assert address.isascii()
    assert address.isprintable()
    assert not set(address) & set(' ,;<>"%?#')


def test_without_a_mail_server_no_address_is_taken_and_it_says_what_is_to_be_set(
    acme: TenantRef, settings: Settings
) -> None:
    settings.EMAIL_HOST = ""
    with entering(acme):
        with pytest.raises(BadEndpoint, match="the operator has to set EMAIL_URL and EMAIL_FROM"):
            operations.create_endpoint(url="mailto:night@acme.example")
        assert Endpoint.objects.count() == 0


@pytest.mark.parametrize("patterns", [[], ["Booking"], ["*.created"], ["booking.*", ""]])
def test_patterns_that_match_nothing_ever_are_refused(
    acme: TenantRef, endpoint_of: EndpointOf, patterns: list[str]
) -> None:
    endpoint, _ = endpoint_of(acme, "https://a.example/", "stay.*")
    with entering(acme):
        with pytest.raises(BadEndpoint):
            operations.update_endpoint(endpoint, url="https://b.example/", patterns=patterns)
        kept = Endpoint.objects.get()
    assert (kept.url, kept.patterns) == ("https://a.example/", ["stay.*"])


def test_the_database_too_refuses_an_endpoint_without_patterns(
    acme: TenantRef, endpoint_of: EndpointOf
) -> None:
    endpoint_of(acme, "https://a.example/")
    with entering(acme), pytest.raises(IntegrityError), transaction.atomic():
        Endpoint.objects.update(patterns=[])


def test_a_secret_is_256_bits_and_encrypted_at_rest(
    acme: TenantRef, endpoint_of: EndpointOf
) -> None:
    endpoint, secret = endpoint_of(acme, "https://a.example/")
    raw = base64.b64decode(secret.removeprefix("whsec_"))
    assert len(raw) == 32
    stored = bytes(endpoint.secret)
    assert raw not in stored
    assert secret.encode() not in stored
    assert operations.get_secrets(endpoint, now=_NOW) == [secret]


def test_a_second_rotation_keeps_the_secret_that_was_shown_last(
    acme: TenantRef, endpoint_of: EndpointOf
) -> None:
    stale, first = endpoint_of(acme, "https://a.example/")
    with entering(acme):
        _, second = operations.rotate_secret(stale, now=_NOW)
        endpoint, third = operations.rotate_secret(stale, now=_NOW)
    assert first not in (second, third)
    assert operations.get_secrets(endpoint, now=_NOW) == [third, second]
    day = timedelta(hours=24)
    assert operations.get_secrets(endpoint, now=_NOW + day) == [third]


def test_an_encryption_key_can_be_rotated_and_a_lost_one_is_mended_by_a_new_secret(
    acme: TenantRef, endpoint_of: EndpointOf, settings: Settings
) -> None:
    endpoint, secret = endpoint_of(acme, "https://a.example/")
    new_key = Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [new_key, *settings.FIELD_ENCRYPTION_KEYS]
    assert operations.get_secrets(endpoint, now=_NOW) == [secret]
    settings.FIELD_ENCRYPTION_KEYS = [new_key]
    with pytest.raises(UnreadableSecret):
        operations.get_secrets(endpoint, now=_NOW)
    with entering(acme):
        endpoint, mended = operations.rotate_secret(endpoint, now=_NOW)
    assert operations.get_secrets(endpoint, now=_NOW) == [mended]
