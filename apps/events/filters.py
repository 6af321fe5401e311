"""Choosing events: one filter for the list, the admin and replays."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from apps.dispatch.models import Arrival, PendingDelivery, State
from apps.events.models import Delivery, DeliveryState, Event
from pms_events.identifiers import first_uid_at

GRACE = timedelta(minutes=1)
STATES = ("accepted", "in_progress", "done", "failed", "discarded")


_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def uid_bound(moment: datetime, grace: timedelta) -> UUID:
    """Give a bound of uids for a time, which may be as odd as people type it."""
    return first_uid_at(min(max(moment, _EARLIEST), _LATEST) + grace)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events: empty fields do not restrict. `type` may end in `.*`; times are of recording.

    `text` is looked for anywhere in the payload as JSON, upper or lower case alike.
    """

    uid: UUID | None = None
    type: str = ""
    subject: str = ""
    source: str = ""
    category: str = ""
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        """The filter as it is kept with a replay: set fields only, times as text."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else str(value)
            for name, value in asdict(self).items()
            if value
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "EventFilter":
        """Read what `as_json` wrote."""
        times: dict[str, Any] = {
            n: datetime.fromisoformat(kept[n]) for n in ("since", "until") if n in kept
        }
        uid = UUID(kept["uid"]) if "uid" in kept else None
        return cls(**{**kept, **times, "uid": uid})

    def recorded_until(self, last: datetime) -> "EventFilter":
        """The same without what is recorded after `last`."""
        end = last + timedelta(microseconds=1)  # `until` itself is not included
        return replace(self, until=min(self.until or end, end))

    def apply(self, events: QuerySet[Event]) -> QuerySet[Event]:
        """Restrict a query over the current tenant's log."""
        if self.uid:
            events = events.filter(uid=self.uid)
        if self.subject:
            events = events.filter(subject=self.subject)
        if self.source:
            events = events.filter(source=self.source)
        if self.category:
            events = events.filter(category=self.category)
        if self.type.endswith("*"):
            events = events.filter(type__startswith=self.type[:-1])
        elif self.type:
            events = events.filter(type=self.type)
        # A uid is made shortly before its event is recorded; the minute of grace lets the index
        # over uids bound the scan, and the exact time decides.
        if self.since:
            first = uid_bound(self.since, -GRACE)
            events = events.filter(recorded_at__gte=self.since, uid__gte=first)
        if self.until:
            end = uid_bound(self.until, GRACE)
            events = events.filter(recorded_at__lt=self.until, uid__lt=end)
        if self.text:
            as_text = Cast("data", TextField())
            events = events.alias(payload_text=as_text).filter(payload_text__icontains=self.text)
        return _in_state(events, self.state) if self.state else events


def _in_state(events: QuerySet[Event], state: str) -> QuerySet[Event]:
    """Restrict to a state, derived as in `queries.Story.state`: by index probes, not counters."""
    mine = {"event_uid": OuterRef("uid")}
    pending = PendingDelivery.objects.exclude(state=State.HELD)  # held ones are dead
    # A redriven delivery is both dead, in the history, and owed again: what is owed wins.
    redriven = Exists(pending.filter(id=OuterRef("id")))
    dead = Exists(Delivery.objects.filter(~redriven, **mine, state=DeliveryState.DEAD))
    arrived = Exists(Arrival.objects.filter(**mine, replay_id=None))
    owed = Exists(pending.filter(**mine))
    ended = Exists(Delivery.objects.filter(**mine))
    kept = Exists(Delivery.objects.filter(**mine).exclude(state=DeliveryState.DISCARDED))
    conditions = {
        "failed": Q(dead),
        "accepted": Q(arrived) & ~Q(dead),
        "in_progress": Q(owed) & ~Q(dead) & ~Q(arrived),
        "discarded": Q(ended) & ~Q(kept) & ~Q(owed) & ~Q(arrived),
        "done": ~Q(dead) & ~Q(arrived) & ~Q(owed) & (Q(kept) | ~Q(ended)),
    }
    return events.filter(conditions[state])
