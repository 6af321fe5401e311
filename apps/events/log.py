"""Pages of the event log: bounded work however long the log is, and whatever is asked of it.

A page is looked for in chunks of uids, in the order of the log. Each chunk comes from one index:
the one that fits the filter best. The rest of the filter is decided for the uids of the chunk
alone. When a page is not full after `BUDGET` uids, or after a moment (payloads may be large), it
ends there and says how far it looked; the next page goes on. So nothing is counted, nothing is
sorted, and no search reads the whole log.

Why the text of payloads has no index: docs/decisions/0006-text-search-in-steps.md.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.dispatch.models import Arrival, PendingDelivery, State
from apps.events.filters import GRACE, EventFilter, uid_bound
from apps.events.models import Delivery, DeliveryState, Event
from apps.tenants.entering import current_tenant
from pms_events.identifiers import made_at

BUDGET = 20_000
RARE = 5_000
_SECONDS = 0.15
_CHUNKS = (200, 1_000)
_ENDS = {"failed": DeliveryState.DEAD, "discarded": DeliveryState.DISCARDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Events found in the order asked for.

    `reached` is the last uid that was looked at; None means that the log ends there.
    """

    events: list[Event]
    reached: UUID | None

    @property
    def reached_at(self) -> datetime | None:
        """The time up to which the log was looked through; None means all of it."""
        return made_at(self.reached) if self.reached else None


def walk(
    chosen: EventFilter,
    *,
    limit: int,
    start: UUID | None = None,
    is_newest_first: bool = True,
    budget: int = BUDGET,
) -> Walk:
    """Give the next events of the current tenant's log after `start` (not included)."""
    direction = "-uid" if is_newest_first else "uid"
    found: list[Event] = []
    looked_at = 0
    until = time.monotonic() + _SECONDS
    for uids in _chunks(chosen, start=start, is_newest_first=is_newest_first):
        if not uids:
            return Walk(events=found, reached=None)
        rows = chosen.apply(Event.objects.filter(uid__in=uids)).order_by(direction)
        found += rows[: limit - len(found)]
        looked_at += len(uids)
        if len(found) >= limit:
            return Walk(events=found, reached=found[-1].uid)
        if looked_at >= budget or time.monotonic() > until:
            return Walk(events=found, reached=uids[-1])
    return Walk(events=found, reached=None)


def _chunks(
    chosen: EventFilter, *, start: UUID | None, is_newest_first: bool
) -> Iterator[list[UUID]]:
    """Give candidate uids in order, chunk by chunk; an empty chunk is the end of the log."""
    if (rare := _rare(chosen, start=start, is_newest_first=is_newest_first)) is not None:
        yield from (rare[n : n + _CHUNKS[-1]] for n in range(0, len(rare), _CHUNKS[-1]))
        yield []
        return
    rows, column = _candidates(chosen)
    rows = _between(rows, column, chosen)
    sign, after = ("-", "lt") if is_newest_first else ("", "gt")
    size = _CHUNKS[0]
    while True:
        part = rows if start is None else rows.filter(**{f"{column}__{after}": start})
        uids = part.order_by(f"{sign}{column}").values_list(column, flat=True)
        # The same event stands there once a delivery, where candidates are deliveries.
        chunk = list((uids if column == "uid" else uids.distinct())[:size])
        yield chunk
        if len(chunk) < size:
            yield []
            return
        start, size = chunk[-1], _CHUNKS[-1]


def _candidates(chosen: EventFilter) -> tuple[QuerySet[Any], str]:
    """Choose the index that leaves the fewest: one uid, what needs a person or is under way, then a
    subject or type, then the log as it is. Gives rows and the column with the event's uid."""
    if chosen.uid:
        return Event.objects.filter(uid=chosen.uid), "uid"
    tenant = current_tenant().id
    match chosen.state:
        case "failed" | "discarded":
            return Delivery.objects.filter(state=_ENDS[chosen.state]), "event_uid"
        case "in_progress":
            owed = PendingDelivery.objects.exclude(state=State.HELD)
            return owed.filter(tenant_id=tenant), "event_uid"
        case "accepted":
            return Arrival.objects.filter(tenant_id=tenant, replay_id=None), "event_uid"
    if chosen.subject:
        return Event.objects.filter(subject=chosen.subject), "uid"
    if chosen.type and not chosen.type.endswith("*"):
        return Event.objects.filter(type=chosen.type), "uid"
    return Event.objects.all(), "uid"


def _rare(chosen: EventFilter, *, start: UUID | None, is_newest_first: bool) -> list[UUID] | None:
    """Give all uids of a source that sent few events, in order; None for any other filter.

    The index over (source, id) finds them, but not in the order of the log. A source that sent many
    is met soon when one walks through the log.
    """
    if (
        chosen.uid
        or not chosen.source
        or chosen.subject
        or chosen.state in (*_ENDS, "in_progress", "accepted")
    ):
        return None
    # Ordered as the index is: without it, the planner reads the table when a source is common.
    of_source = Event.objects.filter(source=chosen.source).order_by("source", "event_id")
    uids = list(of_source.values_list("uid", flat=True)[: RARE + 1])
    if len(uids) > RARE:
        return None
    ahead = [u for u in uids if start is None or (u < start if is_newest_first else u > start)]
    return sorted(ahead, reverse=is_newest_first)


def _between(rows: QuerySet[Any], column: str, chosen: EventFilter) -> QuerySet[Any]:
    """Bound the uids by the filter's times: uids are made shortly before events are recorded."""
    if chosen.since:
        rows = rows.filter(**{f"{column}__gte": uid_bound(chosen.since, -GRACE)})
    if chosen.until:
        rows = rows.filter(**{f"{column}__lt": uid_bound(chosen.until, GRACE)})
    return rows
