"""What is done to endpoints. The router's subscriptions change in the same transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from apps.sync.models import Endpoint, Exchange
from apps.sync.secrets import decrypt, encrypt, new_secret
from apps.sync.sending import Answer
from pms_events.patterns import is_pattern
from pms_events.publishing import subscribe, unsubscribe

HANDLER = "sync.send_webhook"
OLD_SECRET_LASTS = timedelta(hours=24)
_KEPT = 4096
_SHOWN_RESPONSE_HEADERS = {"content-type", "content-length", "retry-after", "date", "server"}


class BadEndpoint(ValueError):
    """An endpoint that cannot be kept; `field` says which of its fields, the message why."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


def check_url(url: str) -> None:
    """Raises: BadEndpoint unless it is an http(s) URL without credentials."""
    try:
        parts = urlsplit(url)
        port_is_bad = parts.port == 0
    except ValueError as error:
        raise BadEndpoint("url", f"is no URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port_is_bad:
        raise BadEndpoint("url", "must be an http or https URL with a host")
    if parts.username or parts.password:
        raise BadEndpoint("url", "must not carry a user or password: the signature is the proof")


def check_patterns(patterns: Sequence[str]) -> None:
    """Raises: BadEndpoint unless there is at least one pattern and all are well formed."""
    if not patterns:
        raise BadEndpoint("patterns", "name at least one event type, or * for all")
    for pattern in patterns:
        if not is_pattern(pattern):
            raise BadEndpoint("patterns", f"'{pattern}' is no event type: use booking.* or *")


def create_endpoint(
    *, url: str, patterns: Sequence[str], description: str = ""
) -> tuple[Endpoint, str]:
    """Make an endpoint; gives it and its secret, which is shown once. Raises: BadEndpoint."""
    check_url(url)
    check_patterns(patterns)
    secret = new_secret()
    with transaction.atomic():
        endpoint = Endpoint.objects.create(
            url=url, patterns=list(patterns), description=description, secret=encrypt(secret)
        )
        _subscribe(endpoint)
    return endpoint, secret


def update_endpoint(endpoint: Endpoint, **changes: Any) -> Endpoint:
    """Change url, patterns, description or is_enabled. Raises: BadEndpoint, nothing changed."""
    if "url" in changes:
        check_url(changes["url"])
    if "patterns" in changes:
        check_patterns(changes["patterns"])
    with transaction.atomic():
        for name, value in changes.items():
            setattr(endpoint, name, value)
        if changes.get("is_enabled"):
            endpoint.disabled_reason = ""
        endpoint.save(update_fields=[*changes, "disabled_reason"])
        _subscribe(endpoint)
    return endpoint


def disable_endpoint(endpoint: Endpoint, *, reason: str) -> None:
    """Stop sending to an endpoint, and remember why."""
    with transaction.atomic():
        Endpoint.objects.filter(pk=endpoint.pk).update(
            is_enabled=False, disabled_reason=reason[:300]
        )
        unsubscribe(handler=HANDLER, target=str(endpoint.pk))


def delete_endpoint(endpoint: Endpoint) -> None:
    """Remove an endpoint with its exchanges; deliveries on their way end as discarded."""
    with transaction.atomic():
        unsubscribe(handler=HANDLER, target=str(endpoint.pk))
        endpoint.delete()


def rotate_secret(endpoint: Endpoint, *, now: datetime) -> str:
    """Give an endpoint a new secret; for 24 hours requests are signed with both."""
    secret = new_secret()
    Endpoint.objects.filter(pk=endpoint.pk).update(
        secret=encrypt(secret),
        previous_secret=endpoint.secret,
        previous_valid_until=now + OLD_SECRET_LASTS,
    )
    return secret


def get_secrets(endpoint: Endpoint, *, now: datetime) -> list[str]:
    """The secrets to sign with now, the newest first."""
    secrets = [decrypt(endpoint.secret)]
    still_valid = endpoint.previous_valid_until is not None and now < endpoint.previous_valid_until
    if endpoint.previous_secret is not None and still_valid:
        secrets.append(decrypt(endpoint.previous_secret))
    return secrets


def record_exchange(
    endpoint: Endpoint,
    *,
    headers: dict[str, str],
    body: bytes,
    answer: Answer,
    started_at: datetime,
    ended_at: datetime,
    **about: Any,
) -> Exchange:
    """Keep an exchange, cut to 4 KiB each way. `about`: delivery_id, event_uid, attempt."""
    return Exchange.objects.create(
        endpoint=endpoint,
        started_at=started_at,
        duration_ms=int((ended_at - started_at).total_seconds() * 1000),
        url=endpoint.url,
        request_headers=headers,
        request_body=_text(body),
        status=answer.status,
        response_headers={
            name: value
            for name, value in answer.headers.items()
            if name.lower() in _SHOWN_RESPONSE_HEADERS
        },
        response_body=_text(answer.body),
        error=answer.error,
        **about,
    )


def _text(body: bytes) -> str:
    return body[:_KEPT].decode("utf-8", "replace").replace("\x00", "�")


def _subscribe(endpoint: Endpoint) -> None:
    if endpoint.is_enabled:
        subscribe(handler=HANDLER, target=str(endpoint.pk), patterns=endpoint.patterns)
    else:
        unsubscribe(handler=HANDLER, target=str(endpoint.pk))
