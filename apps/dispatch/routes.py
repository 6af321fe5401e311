"""What was decided about routing: subscriptions of targets, routes switched or reordered, weights.

Read for a whole batch in three queries and kept in the process while nothing changed: a version in
the shared schema goes up with every change, and one look at it a batch tells.
"""

from collections.abc import Collection, Mapping

from django.db import connection

from apps.dispatch.models import Route, TargetSubscription, TenantShare
from pms_events.categories import Priority
from pms_events.routing import RouteRule, Subscription

Decided = tuple[list[Subscription], list[RouteRule]]

_cache: dict[int, Decided] = {}
_weights: dict[int, float] = {}
_version: tuple[object, ...] = ()

# Small tables; the sum of their transaction ids and their count change with every insert, update, delete.
_VERSION = """SELECT
 (SELECT (sum(xmin::text::bigint), count(*))::text FROM dispatch_targetsubscription),
 (SELECT (sum(xmin::text::bigint), count(*))::text FROM dispatch_route),
 (SELECT (sum(xmin::text::bigint), count(*))::text FROM dispatch_tenantshare)"""


def get_routes(tenants: Collection[int]) -> dict[int, Decided]:
    """Give subscriptions and rules of some tenants."""
    global _version
    with connection.cursor() as cursor:
        cursor.execute(_VERSION)
        version = tuple(cursor.fetchone())
    if version != _version:
        _cache.clear()
        _weights.clear()
        _weights.update(TenantShare.objects.values_list("tenant_id", "weight"))
        _version = version
    missing = set(tenants) - _cache.keys()
    if missing:
        _load(missing)
    return {tenant: _cache[tenant] for tenant in tenants}


def get_weights() -> Mapping[int, float]:
    """Give the weights of tenants that have one, as of the last `get_routes`."""
    return _weights


def _load(tenants: set[int]) -> None:
    for tenant in tenants:
        _cache[tenant] = ([], [])
    for row in TargetSubscription.objects.filter(tenant_id__in=tenants):
        _cache[row.tenant_id][0].extend(
            Subscription(handler=row.handler, target=row.target, pattern=pattern)
            for pattern in row.patterns
        )
    for route in Route.objects.filter(tenant_id__in=tenants):
        _cache[route.tenant_id][1].append(
            RouteRule(
                pattern=route.pattern,
                handler=route.handler,
                is_on=route.is_on,
                priority=None if route.priority is None else Priority(route.priority),
            )
        )
