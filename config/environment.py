"""The environment, read once and typed. Every setting that can be set from outside is named here."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

ROOT = Path(__file__).resolve().parent.parent
DEVELOPMENT_KEY = "development-only-key-never-use-this-in-production-0123456789"
DEVELOPMENT_FIELD_KEY = "ZGV2ZWxvcG1lbnQtb25seS1maWVsZC1rZXktMDEyMzQ="

BROKERS = ("redis", "rediss", "amqp", "amqps", "pyamqp")
LEAST_SECRET = 32
_FLAGS = {"1": True, "true": True, "yes": True, "on": True} | {
    "": False, "0": False, "false": False, "no": False, "off": False,
}  # fmt: skip

env = environ.Env()


def flag(name: str, *, default: bool) -> bool:
    """Read a yes or no. Raises: ImproperlyConfigured."""
    text: str = env.str(name, default=str(default))
    if text.lower() not in _FLAGS:
        raise ImproperlyConfigured(f"{name} is {text!r}: give 1 or 0")
    return _FLAGS[text.lower()]


def number(name: str, *, default: float) -> float:
    """Read a number that is more than nothing. Raises: ImproperlyConfigured."""
    text: str = env.str(name, default=str(default))
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ImproperlyConfigured(f"{name} is {text!r}: give a number above 0")
    return value


def whole_number(name: str, *, default: int) -> int:
    """Read a whole number from 1 on. Raises: ImproperlyConfigured."""
    text: str = env.str(name, default=str(default))
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise ImproperlyConfigured(f"{name} is {text!r}: give a whole number from 1 on")
    return int(text)


DEBUG: bool = flag("DJANGO_DEBUG", default=False)
VAR_DIR = Path(env.str("PMS_VAR_DIR", default=str(ROOT / "var"))).resolve()


def secret(name: str, development: str) -> str:
    """Read a secret. Without one only debug mode starts, and says so otherwise."""
    value: str = env.str(name, default="")
    if value and value != development:
        return value
    if DEBUG:
        return development
    raise ImproperlyConfigured(
        f"{name} is not set, or is the development value: set it to a secret of your own, "
        "or set DJANGO_DEBUG=1 on a machine for trying things out"
    )


def secret_key() -> str:
    """Read what signs sessions. Raises: ImproperlyConfigured for one that could be guessed."""
    value = secret("DJANGO_SECRET_KEY", DEVELOPMENT_KEY)
    if len(value) < LEAST_SECRET and not DEBUG:
        raise ImproperlyConfigured(
            f"DJANGO_SECRET_KEY has {len(value)} characters: give at least {LEAST_SECRET}, at random"
        )
    return value


def field_keys() -> list[str]:
    """Read the keys of encrypted fields, the newest first.

    Raises: ImproperlyConfigured when one is no Fernet key: the first secret to be kept would show it.
    """
    keys = secret("FIELD_ENCRYPTION_KEYS", DEVELOPMENT_FIELD_KEY).split(",")
    for place, key in enumerate(keys, start=1):
        if key == DEVELOPMENT_FIELD_KEY and not DEBUG:
            raise ImproperlyConfigured(
                f"FIELD_ENCRYPTION_KEYS: number {place} is the development value: take it out"
            )
        try:
            Fernet(key)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"FIELD_ENCRYPTION_KEYS: number {place} is no key of 32 bytes in URL-safe base64; "
                "make one with `openssl rand -base64 32 | tr +/ -_`, and put commas between several"
            ) from error
    return keys


def server(name: str, *, development: str) -> str:
    """Read the address of a server. Only debug mode has one that nobody gave."""
    value: str = env.str(name, default="")
    if not value and not DEBUG:
        raise ImproperlyConfigured(f"{name} is not set: give the server's address, {development}")
    return value or development


def broker(url: str) -> str:
    """Raises: ImproperlyConfigured when it is no address of a broker that is known here."""
    if urlsplit(url).scheme not in BROKERS:
        raise ImproperlyConfigured(f"CELERY_BROKER_URL must begin with one of {', '.join(BROKERS)}")
    return url


def allowed_hosts() -> list[str]:
    """Read the hosts that may be asked for. Production must name them."""
    hosts: list[str] = env.list("DJANGO_ALLOWED_HOSTS", default=[])
    if DEBUG:
        return [*hosts, ".localhost", "localhost", "127.0.0.1", "[::1]"]
    if not hosts or "*" in hosts:
        raise ImproperlyConfigured(
            "DJANGO_ALLOWED_HOSTS is empty or '*': name the hosts, such as .pms.example"
        )
    return hosts


def database(url: str) -> dict[str, Any]:
    """Turn `postgresql://user:password@host:port/name?option=…` into Django's settings.

    A socket folder may stand in the query: `postgresql://postgres@/pms?host=/run/postgresql`.
    Raises: ImproperlyConfigured when it is no PostgreSQL address.
    """
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/"))
    try:
        port = parts.port
    except ValueError:
        name = ""
    if parts.scheme not in ("postgresql", "postgres") or not name:
        raise ImproperlyConfigured(
            "DATABASE_URL must look like postgresql://user:password@host:5432/name"
        )
    query: Mapping[str, list[str]] = parse_qs(parts.query)
    options = {key: values[-1] for key, values in query.items()}
    host = options.pop("host", None) or parts.hostname or ""
    return {
        "ENGINE": "apps.tenants.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or options.pop("port", "") or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, "application_name": "pms-events", **options},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in, and from whom it comes. Without a host no mail can be sent."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    has_starttls: bool = False
    is_tls: bool = False
    sender: str = ""


_MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}


def mail_server() -> MailServer:
    """Read EMAIL_URL and EMAIL_FROM; both or neither.

    `smtp://`, `smtp+tls://` (STARTTLS) or `smtp+ssl://`; user and password are percent-encoded.
    Raises: ImproperlyConfigured; the message does not repeat the URL, which has a password in it.
    """
    url, sender = env.str("EMAIL_URL", default=""), env.str("EMAIL_FROM", default="")
    if not url:
        return MailServer()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _MAIL_PORTS or not parts.hostname or parts.path.strip("/"):
        raise ImproperlyConfigured(
            "EMAIL_URL must look like smtp+tls://user:password@mail.example:587, "
            "with smtp, smtp+tls or smtp+ssl in front"
        )
    if bool(parts.username) != bool(parts.password):
        raise ImproperlyConfigured("EMAIL_URL has a user or a password alone: give both or neither")
    return MailServer(
        host=parts.hostname,
        port=port or _MAIL_PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        has_starttls=parts.scheme == "smtp+tls",
        is_tls=parts.scheme == "smtp+ssl",
        sender=_mail_sender(sender),
    )


def _mail_sender(text: str) -> str:
    _, address = parseaddr(text)
    try:
        validate_email(address)
        address.encode("ascii")
        if "\n" in text or "\r" in text:
            raise ValueError(text)
    except (ValidationError, ValueError) as error:
        raise ImproperlyConfigured(
            "EMAIL_URL is set, and EMAIL_FROM is missing or no address: "
            "set it to whom mail comes from, such as 'PMS events <alerts@pms.example>'"
        ) from error
    return text


def public_url() -> str:
    """Read how pages are reached from outside, for links in mail: `https://{host}`.

    `{host}` stands for the tenant's host. Without PUBLIC_URL: https, and in debug mode http and PORT.
    """
    usual = f"http://{{host}}:{env.int('PORT', default=8000)}" if DEBUG else "https://{host}"
    url: str = env.str("PUBLIC_URL", default="") or usual
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or url.count("{host}") != 1 or "{" in parts.path:
        raise ImproperlyConfigured(
            f"PUBLIC_URL is {url!r}: it must look like https://{{host}}, with {{host}} where the "
            "tenant's host belongs"
        )
    return url.rstrip("/")
