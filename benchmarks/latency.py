"""P5: one POST on an idle system, until its handler is done and that is committed."""

import time
from typing import Any
from uuid import UUID

import requests

from apps.events.models import Delivery
from apps.tenants.entering import TenantRef, entering


def plain(prefix: str, count: int) -> list[dict[str, Any]]:
    """Events for the handler that does nothing."""
    return [
        {"id": f"{prefix}-{n}", "source": "bench", "type": "custom.bench", "data": {"n": n}}
        for n in range(count)
    ]


def milliseconds(
    base_url: str, key: str, tenant: TenantRef, events: list[dict[str, Any]]
) -> list[float]:
    """POST one event at a time, each after the last one is done; gives each wait in ms."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {key}"
    waits = []
    for event in events:
        started = time.perf_counter()
        uid = _post(session, f"{base_url}/api/v1/events", event)
        with entering(tenant):
            while not Delivery.objects.filter(event_uid=uid).exists():
                time.sleep(0.001)
        waits.append((time.perf_counter() - started) * 1000)
        time.sleep(0.02)
    return waits


def _post(session: requests.Session, url: str, event: dict[str, Any]) -> UUID:
    answer = session.post(url, json=event, timeout=30)
    answer.raise_for_status()
    return UUID(answer.json()["results"][0]["uid"])
