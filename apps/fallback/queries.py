"""What the fallback queue says: who waits behind whom, what belongs together, what was tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet

from apps.dispatch.models import PendingDelivery, State
from apps.events.models import Attempt
from apps.fallback.models import DeadLetter
from apps.fallback.sentences import summarize_failure
from apps.tenants.entering import current_tenant

MAX_GROUPS = 200


def count_behind_each(dead_letters: Sequence[DeadLetter]) -> dict[UUID, int]:
    """Count the deliveries that wait in the streams of some dead letters, in one query."""
    keys = {(d.handler, d.target, d.stream) for d in dead_letters if d.stream is not None}
    if not keys:
        return {}
    streams = Q()
    for handler, target, stream in keys:
        streams |= Q(handler=handler, target=target, stream=stream)
    rows = (
        PendingDelivery.objects.filter(streams, tenant_id=current_tenant().id, state=State.WAITING)
        .values_list("handler", "target", "stream")
        .annotate(Count("id"))
    )
    waiting = {(handler, target, stream): count for handler, target, stream, count in rows}
    return {d.pk: waiting.get((d.handler, d.target, d.stream), 0) for d in dead_letters}


def get_attempts(dead_letter: DeadLetter) -> list[Attempt]:
    """Give the attempts of a dead letter's delivery that did not end well, oldest first."""
    return list(
        Attempt.objects.filter(delivery_id=dead_letter.delivery_id).order_by("number", "id")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Dead letters with the same cause. `message` is the newest one's."""

    fingerprint: str
    count: int
    reason: str
    handler: str
    error_class: str
    message: str
    summary: str
    first_died_at: datetime
    last_died_at: datetime


def get_groups(dead_letters: QuerySet[DeadLetter], *, limit: int = MAX_GROUPS) -> list[Group]:
    """Group some dead letters by cause, the most frequent first; two queries."""
    rows = list(
        dead_letters.order_by()
        .values("fingerprint")
        .annotate(count=Count("pk"), first=Min("died_at"), last=Max("died_at"))
        .order_by("-count", "-last")[:limit]
    )
    newest = {
        d.fingerprint: d
        for d in dead_letters.filter(fingerprint__in=[row["fingerprint"] for row in rows])
        .order_by("fingerprint", "-died_at")
        .distinct("fingerprint")
    }
    return [
        Group(
            fingerprint=row["fingerprint"],
            count=row["count"],
            reason=sample.reason,
            handler=sample.handler,
            error_class=sample.error_class,
            message=sample.message,
            summary=summarize_failure(sample),
            first_died_at=row["first"],
            last_died_at=row["last"],
        )
        for row in rows
        if (sample := newest.get(row["fingerprint"])) is not None
    ]
