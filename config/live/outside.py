"""What the live view shows of a tenant's outside: endpoints that receive, connections that send."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When
from django.urls import reverse

from apps.sync.connection_health import get_health
from apps.sync.models import Connection, Endpoint, Exchange
from apps.sync.receivers import describe_status
from config.live.wording import Fact

_MOST = 20
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """An endpoint, and how the last exchange with it went."""

    host: str
    description: str
    url: str
    is_enabled: bool
    said: str
    tone: str
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A connection, how it does, and when it was last heard."""

    name: str
    connector: str
    url: str
    said: str
    tone: str
    last_at: datetime | None


def get_receivers() -> list[Receiver]:
    """Read endpoints, those that are off first, each with its last exchange by one index look-up."""
    newest = Exchange.objects.filter(endpoint=OuterRef("pk")).order_by("-id")
    endpoints = Endpoint.objects.order_by("is_enabled", "created_at").annotate(
        last_at=Subquery(newest.values("started_at")[:1]),
        last_status=Subquery(newest.values("status")[:1]),
        last_error=Subquery(newest.values("error")[:1]),
    )
    return [_receiver(endpoint) for endpoint in endpoints[:_MOST]]


def _receiver(endpoint: Any) -> Receiver:
    if not endpoint.is_enabled:
        said, tone = f"disabled: {endpoint.disabled_reason or 'no reason is kept'}", "warning"
    elif endpoint.last_at is None:
        said, tone = "nothing sent yet", "notice"
    elif endpoint.last_status is None:
        said, tone = f"no answer: {endpoint.last_error}"[:120], "danger"
    else:
        said = describe_status(endpoint.url, endpoint.last_status)
        tone = "good" if 200 <= endpoint.last_status < 300 else "danger"
    return Receiver(
        host=endpoint.host,
        description=endpoint.description,
        url=reverse("admin:sync_endpoint_change", args=[endpoint.pk]),
        is_enabled=endpoint.is_enabled,
        said=said,
        tone=tone,
        last_at=endpoint.last_at,
    )


def get_senders() -> list[Sender]:
    """Read connections, those that are silent, refused or off first."""
    worst_first = Case(
        When(silent_since__isnull=False, then=Value(0)),
        When(Q(last_received_at=None) | Q(last_refused_at__gt=F("last_received_at")),
             last_refused_at__isnull=False, then=Value(1)),
        When(is_enabled=False, then=Value(2)),
        default=Value(3),
    )  # fmt: skip
    connections = Connection.objects.order_by(worst_first, "created_at", "id")
    return [_sender(connection) for connection in connections[:_MOST]]


def _sender(connection: Connection) -> Sender:
    health = get_health(connection)
    return Sender(
        name=connection.name,
        connector=connection.connector,
        url=reverse("admin:sync_connection_change", args=[connection.pk]),
        said=health.said,
        tone=health.tone,
        last_at=connection.last_received_at,
    )


def tell_silent() -> list[Fact]:
    """Say which senders are silent: each of a few, many as one fact."""
    silent = Connection.objects.exclude(silent_since=None).order_by("silent_since", "id")
    found = list(silent[: _MOST_NAMED + 1])
    if len(found) > _MOST_NAMED:
        return [
            Fact(
                text=f"{silent.count()} connections are silent",
                tone="danger",
                why="They sent nothing for longer than they usually do, or may",
                at=found[0].silent_since,
                url=reverse("admin:sync_connection_changelist"),
            )
        ]
    return [
        Fact(
            text=f"{connection.name} is silent",
            tone="danger",
            why="Nothing received, for longer than usual or allowed: is the sender working?",
            at=connection.silent_since,
            url=reverse("admin:sync_connection_change", args=[connection.pk]),
        )
        for connection in found
    ]
