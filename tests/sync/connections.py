"""Outside senders for tests: a connection of a tenant, and posting to it as its sender would."""

import json
from datetime import UTC, datetime
from typing import Any

import requests
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from apps.events.models import Event
from apps.fallback.models import DeadLetter
from apps.sync.connecting import Made, create_connection
from apps.sync.models import Connection, Reception
from apps.tenants.entering import TenantRef, entering


class Sender:
    """An outside sender with its address; posts over a socket."""

    def __init__(self, web: str, tenant: TenantRef, made: Made, *, host: str = "") -> None:
        self.made = made
        self.tenant = tenant
        self._web = web
        self.host = host or f"{tenant.schema_name}.localhost"

    def post(self, body: Any = b"", *, token: str = "", **headers: str) -> requests.Response:
        """Post bytes as they are, anything else as JSON. `ce_id` is the header `ce-id`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        url = f"{self._web}/hooks/{token or self.made.token}"
        return requests.post(url, data=body, headers={"Host": self.host, **sent}, timeout=30)

    def post_signed(
        self, body: Any, *, id: str, secret: str = "", at: datetime | None = None
    ) -> requests.Response:
        """Post as the public Standard Webhooks library signs."""
        return self.post(
            json.dumps(body).encode(),
            content_type="application/json",
            **self.sign(json.dumps(body), id=id, secret=secret, at=at),
        )

    def sign(
        self, text: str, *, id: str, secret: str = "", at: datetime | None = None
    ) -> dict[str, str]:
        at = at or datetime.now(UTC)
        signature = Webhook(secret or self.made.secret or "").sign(id, at, text)
        return {
            "webhook_id": id,
            "webhook_timestamp": str(int(at.timestamp())),
            "webhook_signature": signature,
        }


def connect(web: str, tenant: TenantRef, *, host: str = "", **options: Any) -> Sender:
    """Make a connection of a tenant and its sender."""
    with entering(tenant):
        made = create_connection(name=options.pop("name", "feed"), now=timezone.now(), **options)
    return Sender(web, tenant, made, host=host)


def cloud_event(id: str, *, type: str = "custom.door_opened", **more: Any) -> dict[str, Any]:
    """A CloudEvent of a door."""
    event = {"specversion": "1.0", "id": id, "source": "doors", "type": type, "data": {"door": 1}}
    return {**event, **more}


def state_of(sender: Sender) -> Connection:
    """The connection as it is now."""
    with entering(sender.tenant):
        return Connection.objects.get(pk=sender.made.connection.pk)


def events_of(tenant: TenantRef) -> list[tuple[str, str, str]]:
    """Source, id and type of a tenant's events that are not about connections, oldest first."""
    with entering(tenant):
        rows = Event.objects.exclude(type__startswith="connection.").order_by("uid")
        return list(rows.exclude(type="delivery.died").values_list("source", "event_id", "type"))


def letters_of(tenant: TenantRef) -> list[tuple[str, str, str]]:
    """Reason, handler and message of a tenant's open dead letters."""
    with entering(tenant):
        rows = DeadLetter.objects.filter(state="open").order_by("died_at", "delivery_id")
        return list(rows.values_list("reason", "handler", "message"))


def count_rows(tenant: TenantRef) -> tuple[int, int]:
    """How many events and bodies a tenant has."""
    with entering(tenant):
        return Event.objects.count(), Reception.objects.count()
