"""What an endpoint may be: its URL and patterns, and those that it gets when it names none."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.sync.alerts import ALERTS
from apps.sync.receivers import address_of, is_mail
from pms_events.patterns import is_pattern

MAX_URL = 2000
NO_MAIL_SERVER = (
    "no mail can be sent from here: the operator has to set EMAIL_URL and EMAIL_FROM first"
)
_PLAIN = "one plain address, such as mailto:night@acme.example"
# RFC 5321 §4.5.3.1: what a mail server has to take, and no more.
_LONGEST_ADDRESS = 254
_LONGEST_LOCAL_PART = 64
_NOT_IN_AN_ADDRESS: list[tuple[str, str]] = [
    (r"[\s\x00-\x1f\x7f]", "must not contain spaces or line breaks"),
    (r"[?#]", "must be the address alone, without ?subject=, cc= or the like"),
    (r"[,;]", "must name one address: make an endpoint for each"),
    (r"%", "must have the address as it is, without %-encoding"),
    (r'["()<>\[\]\\:]', f"must be {_PLAIN}, without name, quotes or brackets"),
    (r"^/", f"must be {_PLAIN}, without //"),
]


class BadEndpoint(ValueError):
    """An endpoint that cannot be kept; `field` says which of its fields, the message why."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


def check_url(url: str) -> None:
    """Raises: BadEndpoint unless it is an http(s) URL that can be called, or `mailto:` an address.

    Where its host leads is looked at when something is sent: that can change at any time.
    """
    if len(url) > MAX_URL:
        raise BadEndpoint("url", f"must have at most {MAX_URL} characters")
    if is_mail(url):
        _check_address(address_of(url))
    else:
        _check_callable(url)


def _check_callable(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_callable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        if parts.username is not None or parts.password is not None:
            raise BadEndpoint("url", "must not carry a user or password: the signature is proof")
        if not is_callable or "\x00" in url:
            raise BadEndpoint("url", "must be an http or https URL with a host, or mailto:address")
        requests.Request("POST", url).prepare()
        (parts.hostname or "").encode("idna")
    except BadEndpoint:
        raise
    except (ValueError, requests.RequestException) as error:
        raise BadEndpoint("url", f"is no URL that can be called: {error}") from error


def _check_address(address: str) -> None:
    """One plain ASCII address: what all mail servers understand alike, and no header can hide in."""
    for pattern, message in _NOT_IN_AN_ADDRESS:
        if re.search(pattern, address):
            raise BadEndpoint("url", message)
    local, at, domain = address.rpartition("@")
    if not at or "@" in local:
        raise BadEndpoint("url", f"must be {_PLAIN}")
    if len(address) > _LONGEST_ADDRESS or len(local) > _LONGEST_LOCAL_PART:
        raise BadEndpoint(
            "url",
            f"must be an address of at most {_LONGEST_ADDRESS} characters, "
            f"{_LONGEST_LOCAL_PART} of them before the @",
        )
    if not local.isascii():
        raise BadEndpoint("url", "must have plain letters (ASCII) before the @")
    if not domain.isascii():
        raise BadEndpoint("url", f"must have the domain in its ASCII form{_ascii_form(domain)}")
    try:
        validate_email(address)
    except ValidationError as error:
        raise BadEndpoint("url", f"must be {_PLAIN}") from error
    if not settings.EMAIL_HOST:
        raise BadEndpoint("url", f"cannot be a mail address: {NO_MAIL_SERVER}")


def _ascii_form(domain: str) -> str:
    try:
        return f": {domain.encode('idna').decode()}"
    except ValueError:
        return ""


def check_patterns(patterns: Sequence[str]) -> None:
    """Raises: BadEndpoint unless there is at least one pattern and all are well formed."""
    if not patterns:
        raise BadEndpoint("patterns", "name at least one event type, or * for all")
    for pattern in patterns:
        if not is_pattern(pattern):
            raise BadEndpoint("patterns", f"'{pattern}' is no event type: use booking.* or *")


def usual_patterns(url: str) -> list[str]:
    """Give the patterns of an endpoint that names none: of mail the alerts, of webhooks everything."""
    return list(ALERTS) if is_mail(url) else ["*"]
