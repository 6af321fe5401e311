"""The event store: events and their arrivals in one transaction, duplicates told by the database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from apps.dispatch.doorbells import ring_router_on_commit
from apps.dispatch.models import Lane
from apps.dispatch.operations import remove_subscription, set_subscription
from apps.dispatch.statements import fetch
from apps.tenants.entering import current_tenant
from pms_events.categories import Category, Priority
from pms_events.context import Context
from pms_events.envelope import Envelope
from pms_events.event_types import EventType, catalogue
from pms_events.identifiers import new_uid
from pms_events.publishing import Receipt

_KEPT = """SELECT e.source, e.event_id, e.uid, e.body_hash
FROM unnest(%s::text[], %s::text[]) AS k(source, event_id)
JOIN events_event e USING (source, event_id)"""


class _NewEvent(NamedTuple):
    """A row of the log as store.sql takes it; the rest of its columns is the same for all of a call."""

    uid: UUID
    event_id: str
    source: str
    type: str
    subject: str
    category: str
    priority: int
    stream: str
    time: datetime
    time_was_given: bool
    data: str
    extensions: str
    body_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where stored events come from and how far they go.

    causation: the event that led to them. handlers, target: deliver to these only. place: the
    delivery whose place in its stream they take.
    """

    causation: UUID | None = None
    lane: Lane = Lane.LIVE
    include_external: bool = True
    handlers: list[str] | None = None
    target: str = ""
    place: int | None = None


class EventStore:
    """What `pms_events.publishing` is bound to: the current tenant's log."""

    def publish(self, envelopes: Sequence[Envelope], *, cause: Context | None) -> list[Receipt]:
        """Check each payload against its schema, then store them all. Raises: InvalidEvent."""
        entries = []
        for envelope in envelopes:
            entry = catalogue.find(envelope.type)
            if entry is not None:
                entry.validate(envelope.data)
            entries.append(entry)
        lineage = Lineage()
        if cause is not None:
            lineage = Lineage(
                causation=cause.event.uid,
                lane=Lane.BULK if cause.is_bulk else Lane.LIVE,
                include_external=cause.include_external,
            )
        return store_events(envelopes, entries, lineage=lineage)

    def subscribe(self, *, handler: str, target: str, patterns: Sequence[str]) -> None:
        set_subscription(
            tenant_id=current_tenant().id, handler=handler, target=target, patterns=patterns
        )

    def unsubscribe(self, *, handler: str, target: str) -> None:
        remove_subscription(tenant_id=current_tenant().id, handler=handler, target=target)


def store_events(
    envelopes: Sequence[Envelope], entries: Sequence[EventType | None], *, lineage: Lineage
) -> list[Receipt]:
    """Store events that are known to be valid, and mark their arrival; receipts in their order.

    One transaction, the caller's if there is one. An entry of None is an unknown type: it is stored
    and ends before a person. Of two equal ids in one call, the first is kept.
    """
    if not envelopes:
        return []
    now = datetime.now(UTC)
    # In the order of the envelopes even if the clock jumps meanwhile: arrivals take that of the uids.
    uids = sorted(new_uid() for _ in envelopes)
    events = [
        _new_event(envelope, entry, uid=uid, now=now)
        for envelope, entry, uid in zip(envelopes, entries, uids, strict=True)
    ]
    with transaction.atomic(savepoint=False):
        new = _insert(events, tenant_id=current_tenant().id, now=now, lineage=lineage)
        receipts = _receipts(events, new)
        if new:
            ring_router_on_commit()
    return receipts


def _new_event(
    envelope: Envelope, entry: EventType | None, *, uid: UUID, now: datetime
) -> _NewEvent:
    stream = f"{envelope.subject or envelope.id}"[:255]
    if entry is not None:
        stream = entry.stream_of(subject=envelope.subject, event_id=envelope.id, data=envelope.data)
    return _NewEvent(
        uid=uid,
        event_id=envelope.id,
        source=envelope.source,
        type=envelope.type,
        subject=envelope.subject,
        category=(entry.category if entry else Category.AUTOMATION).value,
        priority=int(entry.priority if entry else Priority.P2),
        stream=stream,
        time=envelope.time or now,
        time_was_given=envelope.time is not None,
        data=_dumps(envelope.data),
        extensions=_dumps(envelope.extensions),
        body_hash=envelope.body_hash(),
    )


def _insert(
    events: Sequence[_NewEvent], *, tenant_id: int, now: datetime, lineage: Lineage
) -> set[UUID]:
    """Store events and their arrivals; gives the uids of those that were not there."""
    # Sorted, so that two callers with the same ids in another order cannot lock each other out.
    ordered = sorted(events, key=attrgetter("source", "event_id"))
    columns = dict(zip(_NewEvent._fields, map(list, zip(*ordered, strict=True)), strict=True))
    columns["body_hash"] = [digest.hex() for digest in columns["body_hash"]]
    facts = {
        "tenant_id": tenant_id, "now": now, "causation": lineage.causation, "lane": int(lineage.lane),
        "handlers": lineage.handlers, "target": lineage.target, "place": lineage.place,
        "include_external": lineage.include_external,
    }  # fmt: skip
    return {row[0] for row in fetch("events/store", {**columns, **facts})}


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _receipts(events: Sequence[_NewEvent], new: set[UUID]) -> list[Receipt]:
    """Tell duplicates from conflicts by the body of what is kept under the same id."""
    clashes = [event for event in events if event.uid not in new]
    kept: dict[tuple[str, str], tuple[UUID, bytes]] = {}
    if clashes:
        with connection.cursor() as cursor:
            cursor.execute(_KEPT, [[e.source for e in clashes], [e.event_id for e in clashes]])
            kept = {(r[0], r[1]): (r[2], bytes(r[3])) for r in cursor.fetchall()}
    receipts = []
    for event in events:
        if event.uid in new:
            receipts.append(Receipt(status="accepted", uid=event.uid))
            continue
        uid, body_hash = kept[(event.source, event.event_id)]
        status = "duplicate" if body_hash == event.body_hash else "conflict"
        receipts.append(Receipt(status=status, uid=uid))
    return receipts
