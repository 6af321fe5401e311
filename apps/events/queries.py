"""What the log says: events for handlers, states derived from what is owed and what happened."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection

from apps.dispatch.models import PendingDelivery, State
from apps.dispatch.queries import get_pending_of, get_unrouted
from apps.events.models import Attempt, Delivery, DeliveryState, Replay
from apps.tenants.entering import current_tenant
from pms_events.context import Event

_EVENTS = """SELECT uid, event_id, source, type, subject, time, time_was_given, data::text,
extensions::text, recorded_at FROM events_event WHERE uid = ANY(%s)"""


def load_events(uids: Iterable[UUID]) -> dict[UUID, Event]:
    """Give the events of some deliveries, as handlers see them."""
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, [list(uids)])
        rows = cursor.fetchall()
    return {
        row[0]: Event(
            uid=row[0],
            id=row[1],
            source=row[2],
            type=row[3],
            subject=row[4],
            time=row[5],
            time_was_given=row[6],
            data=json.loads(row[7]),
            extensions=json.loads(row[8]) if row[8] != "{}" else {},
            recorded_at=row[9],
        )
        for row in rows
    }


def get_replays_of(delivery_ids: Sequence[int]) -> dict[int, Replay]:
    """Give the replays that made some finished deliveries; the others have none."""
    rows = Delivery.objects.filter(pk__in=delivery_ids, replay_id__isnull=False)
    replay_ids = dict(rows.values_list("id", "replay_id"))
    replays = Replay.objects.in_bulk(set(replay_ids.values()))
    return {d: replays[replay] for d, replay in replay_ids.items() if replay in replays}


@dataclass(slots=True, kw_only=True)
class Story:
    """What became of an event: deliveries still owed, ended ones, and attempts that failed.

    `open_dead` counts the dead letters that need a person.
    """

    is_routed: bool
    pending: list[PendingDelivery] = field(default_factory=list)
    ended: list[Delivery] = field(default_factory=list)
    attempts: dict[int, list[Attempt]] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """One of accepted, in_progress, done, failed, discarded. A failure shows before progress."""
        if any(d.state == DeliveryState.DEAD for d in self.ended):
            return "failed"
        if not self.is_routed:
            return "accepted"
        if self.pending:
            return "in_progress"
        if self.ended and all(d.state == DeliveryState.DISCARDED for d in self.ended):
            return "discarded"
        return "done"

    @property
    def has_route(self) -> bool:
        return not self.is_routed or bool(self.pending or self.ended)


def get_stories(uids: Sequence[UUID], *, with_attempts: bool = False) -> dict[UUID, Story]:
    """Tell what became of some events of the current tenant, in three or four queries."""
    tenant = current_tenant()
    unrouted = get_unrouted(tenant.id, uids)
    stories = {uid: Story(is_routed=uid not in unrouted) for uid in uids}
    for pending in get_pending_of(tenant.id, uids):
        if pending.state != State.HELD:  # told by its row in the history
            stories[pending.event_uid].pending.append(pending)
    # A redriven delivery is both ended (dead) and owed again: what is owed wins.
    owed = {p.id for story in stories.values() for p in story.pending}
    for ended in Delivery.objects.filter(event_uid__in=uids).order_by("id"):
        if ended.id not in owed:
            stories[ended.event_uid].ended.append(ended)
    if with_attempts:
        rows = Attempt.objects.filter(event_uid__in=uids).order_by("delivery_id", "number", "id")
        for attempt in rows:
            stories[attempt.event_uid].attempts.setdefault(attempt.delivery_id, []).append(attempt)
    return stories
