"""The router: turns accepted events into deliveries. One at a time, in order, metadata only."""

from django.db import connection, transaction

from apps.dispatch import doorbells
from apps.dispatch.adding import add, take_arrivals, take_places
from apps.dispatch.operations import WRITER_LOCK
from apps.dispatch.routes import get_routes, get_weights
from apps.dispatch.work import ArrivalRow, NewDelivery
from pms_events.event_types import catalogue
from pms_events.handlers import handlers
from pms_events.routing import Fact, plan

BATCH = 1000


def route(*, limit: int = BATCH) -> int | None:
    """Route up to `limit` arrivals in one transaction; gives how many it took.

    None when another router is at work. Heads of streams are waited for at most as long as a
    settle takes; a longer wait gives up (lock_timeout) and the batch is routed by the next doorbell.
    """
    with transaction.atomic():
        if not _is_the_router():
            return None
        arrivals = take_arrivals(limit=limit)
        categories = add(decide(arrivals), weights=get_weights())
        take_places(arrivals)
        doorbells.ring_on_commit(categories)
    return len(arrivals)


def decide(arrivals: list[ArrivalRow]) -> list[NewDelivery]:
    """Decide the deliveries of a batch of arrivals, in their order."""
    routes = get_routes({arrival.tenant_id for arrival in arrivals})
    deliveries = []
    for arrival in arrivals:
        subscriptions, rules = routes[arrival.tenant_id]
        fact = Fact(
            type=arrival.type,
            handlers=arrival.handlers,
            target=arrival.target or None,
            include_external=arrival.include_external,
        )
        for planned in plan(
            fact, types=catalogue, registry=handlers, subscriptions=subscriptions, rules=rules
        ):
            deliveries.append(
                NewDelivery(
                    arrival=arrival,
                    handler=planned.handler,
                    target=planned.target,
                    stream=arrival.stream if planned.is_ordered else None,
                    category=planned.category.value,
                    priority=int(planned.priority),
                )
            )
    return deliveries


def _is_the_router() -> bool:
    with connection.cursor() as cursor:
        # Shorter than deadlock_timeout: in a tie with a settle it is always the router that yields.
        cursor.execute("SET LOCAL lock_timeout = '500ms'")
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [WRITER_LOCK])
        return bool(cursor.fetchone()[0])
