"""A category that stalls is told to the tenants that have work in it, and so is that it moves again."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.dispatch.doorbells import ROUTE
from apps.dispatch.sampling import get_tenants_with_work, take_sample
from apps.tenants.entering import UnknownTenant, entering, get_tenant_by_id
from pms_events.catalogue.operations import CategoryRecovered, CategoryStalled
from pms_events.payloads import Payload
from pms_events.publishing import publish

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Since when work waits without moving, and since when that is too long. Both None: it flows."""

    waiting_since: datetime | None = None
    stuck_since: datetime | None = None


def tell_tenants(
    name: str, before: Standing, after: Standing, *, told: Sequence[int], now: datetime
) -> list[int]:
    """State a stall or its end where it began or ended; gives the tenants that know of a stall.

    The router's own stall is the operator's matter: nothing that is published would arrive. The ids
    of the events name the stall, so that a sweep that dies half-way and is repeated tells nobody twice.
    """
    if name == ROUTE:
        return []
    if after.stuck_since and not before.stuck_since and after.waiting_since:
        take_sample(now=now)  # whose work it is, as of now
        since = after.waiting_since
        stalled = CategoryStalled(name=name, since=since)
        id = f"category.stalled:{name}:{since.isoformat()}"
        return [t for t in get_tenants_with_work(name) if _publish(t, stalled, id=id)]
    if before.stuck_since and not after.stuck_since and before.waiting_since:
        since = before.waiting_since
        moves = CategoryRecovered(name=name, stalled_since=since)
        for tenant_id in told:
            _publish(tenant_id, moves, id=f"category.recovered:{name}:{since.isoformat()}")
        return []
    return list(told)


def _publish(tenant_id: int, payload: Payload, *, id: str) -> bool:
    try:
        tenant = get_tenant_by_id(tenant_id)
    except UnknownTenant:
        log.info("not told: tenant is gone or off", extra={"tenant_id": tenant_id, "event_id": id})
        return False
    with entering(tenant):
        publish(payload, subject=id.split(":", 2)[1], id=id)
    return True
