"""What the read models do when a stay is scheduled or withdrawn."""

from datetime import timedelta

from apps.reporting import operations
from apps.reporting.operations import Fact
from pms_events.catalogue.bookings import StayScheduled, StayWithdrawn
from pms_events.categories import REPORTING
from pms_events.context import Context
from pms_events.handlers import handles
from pms_events.outcomes import Outcome
from pms_events.retry import Retry


@handles(
    StayScheduled,
    StayWithdrawn,
    category=REPORTING,
    retry=Retry(attempts=10, first=timedelta(seconds=2)),
)
def count_stay(event: StayScheduled | StayWithdrawn, context: Context) -> Outcome:
    """Count a stay in the daily figures. Safe to run twice: the old fact is taken back first."""
    fact = None
    if isinstance(event, StayScheduled):
        fact = Fact(
            property_ref=event.property_id,
            arrival=event.arrival,
            departure=event.departure,
            amount_minor=event.share.amount_minor if event.share else None,
            currency=event.share.currency if event.share else "",
        )
    operations.set_fact(event.booking_source, event.booking_ref, event.stay_ref, fact)
    return None
