"""Retention: events that are over and old leave the log, into an archive first."""

import gzip
import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from apps.dispatch.models import Arrival, PendingDelivery
from apps.events.filters import uid_bound
from apps.events.models import Attempt, Delivery, DeliveryState, Event
from apps.tenants.entering import current_tenant

BATCH = 500


def get_purgeable(before: datetime) -> QuerySet[Event]:
    """Events recorded before a time that owe nothing and wait for nobody."""
    mine = {"event_uid": OuterRef("uid")}
    end = uid_bound(before, timedelta(0))
    return Event.objects.filter(recorded_at__lt=before, uid__lt=end).exclude(
        Exists(Arrival.objects.filter(**mine))
        | Exists(PendingDelivery.objects.filter(**mine))
        | Exists(Delivery.objects.filter(**mine, state=DeliveryState.DEAD))
    )


def purge_events(
    before: datetime,
    *,
    archive: Path,
    now: datetime,
    progress: Callable[[int], None] = lambda total: None,
) -> tuple[int, Path]:
    """Archive and delete old events with their history, in batches; gives how many, and the file.

    `progress` hears after each batch how many are gone.

    Each batch is on disk before it is deleted: a crash in between leaves it in both places, never in
    none. The file is gzipped JSON lines, one event with its deliveries each.
    Raises: OSError when the archive cannot be written; the events of that batch are all still there.
    """
    archive.mkdir(parents=True, exist_ok=True)
    path = archive / f"{current_tenant().schema_name}-{now:%Y%m%dT%H%M%S%f}.jsonl.gz"
    total = 0
    while True:
        events = list(get_purgeable(before).order_by("uid")[:BATCH])
        if not events:
            return total, path
        _append(path, events)
        uids = [event.uid for event in events]
        with transaction.atomic():
            Attempt.objects.filter(event_uid__in=uids).delete()
            Delivery.objects.filter(event_uid__in=uids).delete()
            Event.objects.filter(uid__in=uids).delete()
        total += len(events)
        progress(total)


def _append(path: Path, events: list[Event]) -> None:
    deliveries: dict[Any, list[dict[str, Any]]] = {}
    for row in Delivery.objects.filter(event_uid__in=[e.uid for e in events]).values():
        deliveries.setdefault(row["event_uid"], []).append(dict(row))
    with path.open("ab") as file:
        with gzip.GzipFile(fileobj=file, mode="wb") as packed:
            for event in events:
                line = _as_json(event) | {"deliveries": deliveries.get(event.uid, [])}
                packed.write(json.dumps(line, default=str).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _as_json(event: Event) -> dict[str, Any]:
    return {
        "uid": event.uid,
        "id": event.event_id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": event.time,
        "recorded_at": event.recorded_at,
        "causation": event.causation,
        "data": event.data,
        "extensions": event.extensions,
    }
