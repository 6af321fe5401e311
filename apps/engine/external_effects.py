"""Running `external` handlers: side by side, with no transaction open while talking to the outside."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db import close_old_connections, transaction

from apps.dispatch.work import Claimed
from apps.engine.attempting import attempt
from apps.engine.settling import Tally, settle
from apps.events.operations import Ran
from apps.events.queries import load_events
from apps.tenants.entering import TenantRef, assert_server_inside, entering
from pms_events.context import Event

log = logging.getLogger(__name__)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.EXTERNAL_THREADS, thread_name_prefix="external")


def run_external_group(deliveries: Sequence[Claimed], *, lease: UUID, tenant: TenantRef) -> Tally:
    """Run deliveries of one tenant at once, then settle those that came back within the lease.

    Call it inside the tenant. What is still talking when the lease ends is lost to us: its verdict
    is dropped, and the delivery runs again under the same idempotency key.
    """
    events = load_events({d.event_uid for d in deliveries})
    futures = [_threads().submit(_attempt_inside, d, events, tenant) for d in deliveries]
    remaining = (deliveries[0].lease_until - datetime.now(UTC)).total_seconds()
    finished, unfinished = wait(futures, timeout=max(0.0, remaining))
    for future in unfinished:
        future.cancel()
    if unfinished:
        log.error(
            "external handlers outlived their lease",
            extra={"tenant": tenant.schema_name, "count": len(unfinished)},
        )
    runs = [future.result() for future in futures if future in finished]
    if not runs:
        return Tally(lost=len(unfinished))
    with transaction.atomic():
        assert_server_inside(tenant)
        tally = settle(runs, lease=lease)
    tally.lost += len(unfinished)
    return tally


def _attempt_inside(delivery: Claimed, events: Mapping[UUID, Event], tenant: TenantRef) -> Ran:
    """Run one delivery on this thread's own connection, in autocommit."""
    close_old_connections()
    with entering(tenant):
        return attempt(delivery, events, tenant=tenant)
