"""What the event log shows of endpoints and connections: cut short and without secrets."""

import json
from collections.abc import Iterator, Mapping
from uuid import UUID

from django.urls import reverse

from apps.sync.models import Endpoint, Exchange, Reception
from apps.sync.operations import HANDLER
from apps.sync.receivers import is_mail
from apps.web.links import About, Exhibit, Link, Ways

_MOST = 50


def find_exchanges(about: About) -> Iterator[Exhibit]:
    """Tell what was said to the outside about an event, newest attempts first kept."""
    newest = Exchange.objects.filter(event_uid=about.uid).select_related("endpoint")
    for exchange in newest.order_by("-id")[:_MOST]:
        facts = [
            ("Attempt", str(exchange.attempt)),
            ("Took", f"{exchange.duration_ms} ms"),
        ]
        if exchange.error:
            facts.append(("Error", exchange.error))
        yield Exhibit(
            delivery_id=exchange.delivery_id,
            title=f"Exchange: {exchange}",
            url=reverse("admin:sync_exchange_change", args=[exchange.pk]),
            at=exchange.started_at,
            is_bad=not exchange.is_taken,
            facts=facts,
            folded=[
                ("Request", f"{_headers(exchange.request_headers)}\n\n{exchange.request_body}"),
                ("Answer", f"{_headers(exchange.response_headers)}\n\n{exchange.response_body}"),
            ],
        )


def find_receptions(about: About) -> Iterator[Link]:
    """Point to the stored body that an event came of, while it is kept."""
    if not about.type.startswith("connection."):
        return
    ids = {text for text in about.refs("reception_id") if _is_uuid(text)}
    kept = Reception.objects.filter(pk__in=ids).select_related("connection").defer("sealed")
    for reception in kept:
        yield Link(
            label="Received body",
            text=f"{reception.connection.name}: {reception}",
            url=reverse("admin:sync_reception_change", args=[reception.pk]),
        )


def name_tasks(ways: Ways) -> Mapping[tuple[str, str], str]:
    """Tell which deliveries to endpoints go by mail: the handler's name speaks of webhooks."""
    targets = {target for handler, target in ways if handler == HANDLER and _is_uuid(target)}
    urls = Endpoint.objects.filter(pk__in=targets).values_list("pk", "url")
    return {(HANDLER, str(pk)): "send e-mail" for pk, url in urls if is_mail(url)}


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _headers(headers: dict[str, str]) -> str:
    return "\n".join(f"{name}: {_one_line(value)}" for name, value in headers.items())


def _one_line(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
