"""Running `external` handlers: side by side, with no transaction open while talking to the outside.

A target that hangs must not hold the others up: it gets half of the threads at most, and once it kept
a delivery waiting long for nothing, the rest of its deliveries go back unstarted.
"""

import logging
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)

from apps.dispatch import operations
from apps.dispatch.work import Claimed
from apps.engine.attempting import attempt
from apps.engine.database_effects import can_end_in_time
from apps.engine.settling import Tally, settle
from apps.engine.stopping import is_stopping
from apps.events.operations import Ran
from apps.events.queries import load_events
from apps.tenants.entering import TenantRef, assert_server_inside, entering
from pms_events.context import Event

log = logging.getLogger(__name__)

_LONG = timedelta(seconds=2)
_LOOK_UP_SECONDS = 0.5
"""How often a round that waits looks up to see whether it was told to stop."""
_PATIENCE = timedelta(seconds=3)
"""How long a stop waits for what talks to the outside."""
_Target = tuple[int, str, str]


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.EXTERNAL_THREADS, thread_name_prefix="external")


class _Round:
    """The external deliveries of one lease: what waits, what runs, which targets hang."""

    def __init__(self, work: Mapping[TenantRef, Sequence[Claimed]], lease: UUID) -> None:
        self.lease = lease
        self.tenants = {tenant.id: tenant for tenant in work}
        self.waiting = deque(d for deliveries in work.values() for d in deliveries)
        self.running: dict[Future[Ran], Claimed] = {}
        self.hanging: set[_Target] = set()
        self.events: dict[int, dict[UUID, Event]] = {}
        for tenant, deliveries in work.items():
            with entering(tenant):
                self.events[tenant.id] = load_events({d.event_uid for d in deliveries})

    def start_what_may(self) -> None:
        """Start deliveries while threads are free; each target has half of them at most.

        Nothing is started once this worker was told to stop.
        """
        if is_stopping():
            return
        busy = Counter(_target(d) for d in self.running.values())
        most = max(1, settings.EXTERNAL_THREADS // 2)
        put_back = []
        while self.waiting and len(self.running) < settings.EXTERNAL_THREADS:
            delivery = self.waiting.popleft()
            target = _target(delivery)
            if busy[target] >= most or target in self.hanging or not can_end_in_time(delivery):
                put_back.append(delivery)
                continue
            busy[target] += 1
            tenant = self.tenants[delivery.tenant_id]
            future = _threads().submit(_attempt_inside, delivery, self.events[tenant.id], tenant)
            self.running[future] = delivery
        self.waiting.extendleft(reversed(put_back))

    def settle(self, finished: set[Future[Ran]]) -> Tally:
        """Settle what came back, tenant by tenant."""
        total = Tally()
        by_tenant: dict[int, list[Ran]] = {}
        for future in finished:
            delivery = self.running.pop(future)
            ran = future.result()
            by_tenant.setdefault(delivery.tenant_id, []).append(ran)
            if ran.verdict.failure is not None and ran.finished_at - ran.started_at > _LONG:
                self.hanging.add(_target(delivery))
        for tenant_id, runs in by_tenant.items():
            tenant = self.tenants[tenant_id]
            with entering(tenant), transaction.atomic():
                assert_server_inside(tenant)
                total.add(settle(runs, lease=self.lease))
        return total


def run_external(work: Mapping[TenantRef, Sequence[Claimed]], *, lease: UUID) -> Tally:
    """Run external deliveries of some tenants side by side; each is settled as it comes back.

    What could not be started in time goes back with its attempt. What still talks when the lease ends
    is lost to us: its verdict is dropped, and it runs again under the same idempotency key.
    Raises: OperationalError or InterfaceError when the database is away; what does not talk goes back,
    what still talks is put off until it must have ended, so that nobody runs it beside us.
    """
    round_ = _Round(work, lease)
    try:
        return _run_round(round_)
    except (OperationalError, InterfaceError):
        connection.close()
        talking = list(round_.running.values())
        if talking:
            _put_off(talking, lease=lease)
        rest = {d.id for deliveries in work.values() for d in deliveries} - {d.id for d in talking}
        operations.release(sorted(rest), lease=lease)
        raise


def _run_round(round_: _Round) -> Tally:
    total, lease = Tally(), round_.lease
    told_at = None
    while True:
        round_.start_what_may()
        if not round_.running:
            break
        if told_at is None and is_stopping():
            told_at = datetime.now(UTC)
        ends = next(iter(round_.running.values())).lease_until
        if told_at is not None:
            ends = min(ends, told_at + _PATIENCE)
        left = (ends - datetime.now(UTC)).total_seconds()
        if left <= 0:
            break
        finished, _ = wait(
            round_.running, timeout=min(_LOOK_UP_SECONDS, left), return_when=FIRST_COMPLETED
        )
        total.add(round_.settle(finished))
    total.given_back += operations.release([d.id for d in round_.waiting], lease=lease)
    if round_.running:
        total.add(_leave(list(round_.running.values()), lease=lease, is_told=told_at is not None))
    return total


def _leave(talking: Sequence[Claimed], *, lease: UUID, is_told: bool) -> Tally:
    """Give up what still talks: to a stop, or because its lease is over.

    At a stop it is put off, without using an attempt, until the talk must have ended.
    """
    log.error("external handlers left talking", extra={"count": len(talking), "stop": is_told})
    if is_told:
        _put_off(talking, lease=lease)
    return Tally(lost=len(talking))


def _put_off(talking: Sequence[Claimed], *, lease: UUID) -> None:
    later = datetime.now(UTC) + 2 * max(settings.HTTP_TIMEOUT, settings.SMTP_TIMEOUT)
    operations.reschedule([(d.id, later, False) for d in talking], lease=lease)


def _target(delivery: Claimed) -> _Target:
    return (delivery.tenant_id, delivery.handler, delivery.target)


def _attempt_inside(delivery: Claimed, events: Mapping[UUID, Event], tenant: TenantRef) -> Ran:
    """Run one delivery on this thread's own connection, in autocommit."""
    close_old_connections()
    with entering(tenant):
        return attempt(delivery, events, tenant=tenant)
