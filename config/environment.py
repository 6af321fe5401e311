"""The environment, read once and typed. Every setting that can be set from outside is named here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
DEVELOPMENT_KEY = "development-only-key-never-use-this-in-production-0123456789"
DEVELOPMENT_FIELD_KEY = "ZGV2ZWxvcG1lbnQtb25seS1maWVsZC1rZXktMDEyMzQ="

env = environ.Env()

DEBUG: bool = env.bool("DJANGO_DEBUG", default=False)
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
        "PORT": str(parts.port or options.pop("port", "") or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, "application_name": "pms-events", **options},
    }
