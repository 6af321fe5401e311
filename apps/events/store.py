"""The event store: events and their arrivals in one transaction, duplicates told by the database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from psycopg2.extras import Json

from apps.dispatch.doorbells import ring_router_on_commit
from apps.dispatch.models import Lane
from apps.dispatch.operations import add_arrivals, remove_subscription, set_subscription
from apps.dispatch.statements import insert_values
from apps.tenants.entering import current_tenant
from pms_events.categories import Category, Priority
from pms_events.context import Context
from pms_events.envelope import Envelope
from pms_events.event_types import EventType, catalogue
from pms_events.identifiers import new_uid
from pms_events.publishing import Receipt

_INSERT = """INSERT INTO events_event (uid, event_id, source, type, subject, category, priority,
stream, time, time_was_given, data, extensions, body_hash, recorded_at, causation) VALUES %s
ON CONFLICT (source, event_id) DO NOTHING RETURNING uid"""

_KEPT = """SELECT e.source, e.event_id, e.uid, e.body_hash
FROM unnest(%s::text[], %s::text[]) AS k(source, event_id)
JOIN events_event e USING (source, event_id)"""


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
    tenant = current_tenant()
    now = datetime.now(UTC)
    rows = [
        _event_row(envelope, entry, now=now, lineage=lineage)
        for envelope, entry in zip(envelopes, entries, strict=True)
    ]
    with transaction.atomic(savepoint=False):
        # Sorted, so that two callers with the same ids in another order cannot lock each other out.
        ordered = sorted(rows, key=lambda row: (row[2], row[1]))
        new = {row[0] for row in insert_values(_INSERT, ordered, returning=True)}
        receipts = _receipts(rows, new)
        arrivals = [
            (tenant.id, row[0], row[3], row[7], now, int(lineage.lane), lineage.handlers,
             lineage.target, lineage.include_external, None, lineage.place)
            for row in rows
            if row[0] in new
        ]  # fmt: skip
        if arrivals:
            add_arrivals(arrivals)
            ring_router_on_commit()
    return receipts


def _event_row(
    envelope: Envelope, entry: EventType | None, *, now: datetime, lineage: Lineage
) -> tuple[Any, ...]:
    stream = f"{envelope.subject or envelope.id}"[:255]
    if entry is not None:
        stream = entry.stream_of(subject=envelope.subject, event_id=envelope.id, data=envelope.data)
    return (
        new_uid(),
        envelope.id,
        envelope.source,
        envelope.type,
        envelope.subject,
        (entry.category if entry else Category.AUTOMATION).value,
        int(entry.priority if entry else Priority.P2),
        stream,
        envelope.time or now,
        envelope.time is not None,
        Json(envelope.data, dumps=_dumps),
        Json(envelope.extensions, dumps=_dumps),
        envelope.body_hash(),
        now,
        lineage.causation,
    )


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _receipts(rows: list[tuple[Any, ...]], new: set[UUID]) -> list[Receipt]:
    """Tell duplicates from conflicts by the body of what is kept under the same id."""
    clashes = [row for row in rows if row[0] not in new]
    kept: dict[tuple[str, str], tuple[UUID, bytes]] = {}
    if clashes:
        with connection.cursor() as cursor:
            cursor.execute(_KEPT, [[row[2] for row in clashes], [row[1] for row in clashes]])
            kept = {(r[0], r[1]): (r[2], bytes(r[3])) for r in cursor.fetchall()}
    receipts = []
    for row in rows:
        if row[0] in new:
            receipts.append(Receipt(status="accepted", uid=row[0]))
            continue
        uid, body_hash = kept[(row[2], row[1])]
        status = "duplicate" if body_hash == row[12] else "conflict"
        receipts.append(Receipt(status=status, uid=uid))
    return receipts
