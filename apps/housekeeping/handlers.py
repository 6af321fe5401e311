"""What housekeeping does when a stay is scheduled or withdrawn."""

from datetime import timedelta

from apps.housekeeping import operations
from apps.housekeeping.operations import StayKey
from pms_events.catalogue.bookings import StayScheduled, StayWithdrawn
from pms_events.categories import HOUSEKEEPING
from pms_events.context import Context
from pms_events.handlers import handles
from pms_events.outcomes import Outcome
from pms_events.retry import Retry


@handles(
    StayScheduled,
    StayWithdrawn,
    category=HOUSEKEEPING,
    retry=Retry(attempts=8, first=timedelta(seconds=2)),
)
def plan_turnover(event: StayScheduled | StayWithdrawn, context: Context) -> Outcome:
    """Keep one clean in each gap of the unit. Safe to run twice: derived from the calendar."""
    operations.replan_turnovers(
        StayKey(
            source=event.booking_source, booking_ref=event.booking_ref, stay_ref=event.stay_ref
        ),
        unit=event.unit_id,
        arrival=event.arrival,
        departure=event.departure,
    )
    return None
