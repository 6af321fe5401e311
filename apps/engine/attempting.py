"""One attempt: run a handler on an event, decide what follows. Writes nothing."""

import logging
import random
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType
from uuid import UUID

from apps.dispatch.models import Lane
from apps.dispatch.work import Claimed
from apps.events.operations import Ran
from apps.tenants.entering import TenantRef
from pms_events.context import Context, Event, running
from pms_events.event_types import catalogue
from pms_events.handlers import Handler, handlers
from pms_events.routing import UNKNOWN_TYPE
from pms_events.verdicts import Failure, Kind, Reason, Verdict, judge, judge_error

log = logging.getLogger(__name__)


class HandlerTimeout(Exception):
    """A handler ran longer than its limit and was interrupted."""


def attempt(
    delivery: Claimed, events: Mapping[UUID, Event], *, tenant: TenantRef, is_trial: bool = False
) -> Ran:
    """Run one delivery and decide about it. Whatever the handler raises ends in the verdict.

    Of a trial, a failure is not logged: the same attempt runs again, guarded.
    """
    started_at = datetime.now(UTC)
    event = events.get(delivery.event_uid)
    handler = handlers.find(delivery.handler)
    if event is None:
        verdict = Verdict(kind=Kind.DISCARD, note="the event is not in the log any more")
    elif handler is None:
        verdict = _without_handler(delivery, event)
    else:
        verdict = _run(handler, delivery, event, tenant=tenant, now=started_at, is_trial=is_trial)
    return Ran(
        delivery=delivery, verdict=verdict, started_at=started_at, finished_at=datetime.now(UTC)
    )


def _run(
    handler: Handler,
    delivery: Claimed,
    event: Event,
    *,
    tenant: TenantRef,
    now: datetime,
    is_trial: bool,
) -> Verdict:
    context = Context(
        tenant=tenant.schema_name,
        event=event,
        delivery_id=delivery.id,
        attempt=delivery.attempts,
        target=delivery.target,
        now=now,
        is_replay=delivery.replay_id is not None,
        is_bulk=delivery.lane == Lane.BULK,
        include_external=delivery.include_external,
    )
    try:
        entry = catalogue.find(event.type)
        payload = entry.validate(event.data) if entry else event.data
        with running(context), _limited(handler.limit):
            return judge(handler.function(payload, context), now=now)
    except Exception as error:  # noqa: BLE001 - the engine alone catches all, and records
        if not is_trial:
            _log_failure(error, delivery, event, tenant=tenant)
        return judge_error(
            error, handler=handler, failures=delivery.failures, now=now, random=random.random
        )


def _log_failure(error: Exception, delivery: Claimed, event: Event, *, tenant: TenantRef) -> None:
    log.warning(
        "attempt failed",
        extra={
            "tenant": tenant.schema_name,
            "event": str(event.uid),
            "delivery": delivery.id,
            "handler": delivery.handler,
            "attempt": delivery.attempts,
            "error": type(error).__name__,
        },
    )


def _without_handler(delivery: Claimed, event: Event) -> Verdict:
    if delivery.handler == UNKNOWN_TYPE:
        failure = Failure(
            error_class="UnknownType",
            message=f"'{event.type}' is not in the catalogue: add the event type, then retry; "
            "or discard",
        )
        return Verdict(kind=Kind.DEAD, reason=Reason.UNKNOWN_TYPE, failure=failure)
    failure = Failure(
        error_class="MissingHandler",
        message=f"no handler is named '{delivery.handler}': it was renamed or removed; "
        "bring it back and retry, or discard",
    )
    return Verdict(kind=Kind.DEAD, reason=Reason.UNROUTABLE, failure=failure)


@contextmanager
def _limited(limit: timedelta) -> Iterator[None]:
    """Interrupt what runs longer than `limit`. Works in the main thread only, where signals arrive.

    External handlers run in other threads; their HTTP timeout bounds them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise HandlerTimeout(f"the handler ran longer than {limit.total_seconds():g} s")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, limit.total_seconds())
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
