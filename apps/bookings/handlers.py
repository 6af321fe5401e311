"""What bookings do when a channel or the front desk reports one."""

from datetime import timedelta

from apps.bookings import operations
from apps.bookings.operations import Revision
from apps.bookings.revisions import RevisionKey, number_of
from pms_events.catalogue.bookings import (
    BookingCancelled,
    BookingCreated,
    BookingModified,
    BookingState,
    ExternalRef,
)
from pms_events.categories import BOOKINGS
from pms_events.context import Context
from pms_events.handlers import handles
from pms_events.outcomes import Done, Outcome
from pms_events.retry import Retry

_STALE = Done("an older revision than the applied one: kept, without effect")


@handles(
    BookingCreated,
    BookingModified,
    BookingCancelled,
    category=BOOKINGS,
    retry=Retry(attempts=8, first=timedelta(seconds=1)),
)
def record_booking(event: BookingState | BookingCancelled, context: Context) -> Outcome:
    """Keep the revision and apply it if it is the newest. Safe to run twice: one row an event."""
    at = context.event.time
    if isinstance(event, BookingCancelled):
        at = event.cancelled_at
    elif isinstance(event, BookingModified) and event.revised_at:
        at = event.revised_at
    ref: ExternalRef = event.external_ref
    revision = Revision(
        source=ref.source,
        booking_ref=ref.booking_ref,
        key=RevisionKey(
            is_creation=isinstance(event, BookingCreated),
            number=number_of(getattr(event, "revision", None), ref.revision_ref),
            at=at,
            ref=ref.revision_ref or "",
        ),
        kind=context.event.type,
        event_uid=context.event.uid,
        recorded_at=context.event.recorded_at,
    )
    if isinstance(event, BookingCancelled):
        is_applied = operations.record_cancellation(revision, cancelled_at=event.cancelled_at)
    else:
        is_applied = operations.record_state(revision, event)
    return Done() if is_applied else _STALE
