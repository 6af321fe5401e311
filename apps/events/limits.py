"""How much a tenant may send: a rate a second, and a backlog beyond which it has to wait."""

import logging
import time

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from apps.web.problems import Problem

log = logging.getLogger(__name__)

_BACKLOG_KEY = "backlog-full:{}"
_BACKLOG_SECONDS = 15
_UNCOUNTED_SECONDS = 5.0
_uncounted_until = 0.0


def check_limits(tenant_id: int, *, events: int) -> None:
    """Count events against the tenant's limits. Raises: Problem 429 with Retry-After.

    Without a cache there is no counting and no limit: taking events in matters more.
    """
    global _uncounted_until
    if time.monotonic() < _uncounted_until:
        return
    second = int(time.time())
    key = f"ingest:{tenant_id}:{second}"
    try:
        if cache.get(_BACKLOG_KEY.format(tenant_id)):
            raise Problem(
                429, "Too much of this tenant's work is waiting: send again later.", retry_after=10
            )
        cache.add(key, 0, 5)
        count = cache.incr(key, events)
    except ValueError:  # the second was over before it was counted
        return
    except (RedisError, OSError):
        # One that hangs costs a second to find out: not with each request.
        _uncounted_until = time.monotonic() + _UNCOUNTED_SECONDS
        return
    if count > settings.INGEST_RATE:
        raise Problem(
            429,
            f"More than {settings.INGEST_RATE} events a second: send again in a second.",
            retry_after=1,
        )


def mark_backlog_full(tenant_ids: list[int]) -> None:
    """Refuse more events of these tenants for a while; the sweep says it again while it holds."""
    for tenant_id in tenant_ids:
        try:
            cache.set(_BACKLOG_KEY.format(tenant_id), 1, _BACKLOG_SECONDS)
        except (RedisError, OSError) as error:
            log.warning("backlog not marked", extra={"tenant_id": tenant_id, "error": str(error)})
