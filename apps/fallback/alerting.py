"""`delivery.died`: an alert about a cause, in the transaction that buries; never one per dead letter.

What keeps alerts from breeding alerts: a cause with an open dead letter of the last day is known and
told no more, and a delivery of an alert itself is never told when it dies, whatever its error says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from apps.events.store import Lineage, store_events
from apps.fallback.models import DeadLetter
from pms_events.catalogue.operations import DeliveryDied
from pms_events.envelope import Envelope
from pms_events.event_types import catalogue
from pms_events.publishing import OWN_SOURCE

DIED = "delivery.died"
_KNOWN_FOR = timedelta(hours=24)

# Plan: deadletter_group, one look-up a cause, however many of it are open.
_KNOWN = """SELECT f FROM unnest(%s::text[]) f WHERE EXISTS (
SELECT 1 FROM fallback_deadletter d
WHERE d.state = 'open' AND d.fingerprint = f AND d.died_at >= %s)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What a delivery died of, and where: enough to tell of it without anything of its content."""

    fingerprint: str
    handler: str
    reason: str
    error_class: str
    event_type: str
    event_uid: UUID
    delivery_id: int


def find_new(causes: Sequence[Cause], *, now: datetime) -> list[Cause]:
    """Pick those to tell of, one a fingerprint. Call it before they are buried."""
    first = {c.fingerprint: c for c in reversed(causes) if c.event_type != DIED}
    if not first:
        return []
    after = now - _KNOWN_FOR
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [sorted(first), after])
        known = {row[0] for row in cursor.fetchall()}
    # One whose retry failed is known too: a person has just decided about it.
    retried = DeadLetter.objects.filter(
        delivery_id__in=[c.delivery_id for c in causes], died_at__gte=after
    )
    known |= set(retried.values_list("fingerprint", flat=True))
    return [cause for name, cause in sorted(first.items()) if name not in known]


def tell_died(causes: Sequence[Cause], *, now: datetime) -> None:
    """State each cause. Two workers that find the same one at once state one event: same id."""
    if not causes:
        return
    letters = dict(
        DeadLetter.objects.filter(delivery_id__in=[c.delivery_id for c in causes]).values_list(
            "delivery_id", "id"
        )
    )
    entry = catalogue.of(DeliveryDied)
    for cause in causes:
        payload = DeliveryDied(
            fingerprint=cause.fingerprint,
            handler=cause.handler,
            reason=cause.reason,
            about=cause.event_type or "an event that is gone",
            sentence=f"{cause.handler} failed for {cause.event_type}: {cause.error_class}",
            dead_letter_id=str(letters[cause.delivery_id]),
        )
        envelope = Envelope(
            id=f"{DIED}:{cause.fingerprint}:{now:%Y-%m-%dT%H:%M}",
            source=OWN_SOURCE,
            type=DIED,
            subject=f"cause:{cause.fingerprint}",
            data=payload.as_data(),
        )
        store_events([envelope], [entry], lineage=Lineage(causation=cause.event_uid))
