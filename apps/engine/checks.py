"""Start-up checks: handlers and catalogue agree, and each timeout is shorter than the next."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from pms_events.errors import RegistryError
from pms_events.event_types import catalogue
from pms_events.handlers import handlers

_USUAL = timedelta(seconds=20)


@register()
def check_registry(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Refuse to start when a handler waits for a type that does not exist."""
    try:
        handlers.check(catalogue)
    except RegistryError as error:
        return [Error(str(error), id="engine.E001")]
    return []


@register()
def check_timeouts(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Refuse to start unless HTTP and SMTP timeout < handler limit < lease < visibility timeout."""
    slowest = max((h.limit for h in handlers), default=_USUAL)
    fastest = min((h.limit for h in handlers), default=_USUAL)
    steps = [
        ("PMS_HTTP_TIMEOUT_SECONDS", settings.HTTP_TIMEOUT, "the shortest handler limit", fastest),
        ("PMS_SMTP_TIMEOUT_SECONDS", settings.SMTP_TIMEOUT, "the shortest handler limit", fastest),
        ("the longest handler limit", slowest, "PMS_LEASE_SECONDS", settings.LEASE),
        ("PMS_LEASE_SECONDS", settings.LEASE, "VISIBILITY_TIMEOUT", settings.VISIBILITY_TIMEOUT),
    ]
    return [
        Error(
            f"{lower} is {low.total_seconds():g} s and must be shorter than {upper}, "
            f"which is {high.total_seconds():g} s",
            hint="HTTP and SMTP timeout < handler limit < lease < broker visibility timeout",
            id="engine.E002",
        )
        for lower, low, upper, high in steps
        if low >= high
    ]
