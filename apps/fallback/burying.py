"""What the engine does to the fallback queue: bury what died, resolve what a retry healed."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from apps.dispatch.statements import insert_values
from apps.events.models import Event
from apps.events.operations import Ran
from apps.fallback.alerting import Cause, find_new, tell_died
from apps.fallback.causes import fingerprint
from apps.fallback.models import DeadLetter, DeadLetterState
from apps.web.links import texts_under
from pms_events.identifiers import new_uid

_BURY = """INSERT INTO fallback_deadletter AS d (id, delivery_id, event_uid, event_type, subject,
stream, units, handler, target, category, priority, reason, error_class, message, traceback, fingerprint,
attempts, failures, crashes, deaths, accepted_at, died_at, state, decided_by, note) VALUES %s
ON CONFLICT (delivery_id) DO UPDATE SET reason = EXCLUDED.reason,
error_class = EXCLUDED.error_class, message = EXCLUDED.message, traceback = EXCLUDED.traceback,
fingerprint = EXCLUDED.fingerprint, attempts = EXCLUDED.attempts, failures = EXCLUDED.failures,
crashes = EXCLUDED.crashes, died_at = EXCLUDED.died_at, deaths = d.deaths + 1, state = 'open',
decided_at = NULL, decided_by = '', note = ''"""

_MOST_UNITS = 50
_LONGEST_UNIT = 255


def bury(runs: Sequence[Ran]) -> None:
    """Put deliveries whose verdict is dead before a person, in the current tenant.

    One that died before is opened again. In the transaction that removes the pending rows.
    """
    if not runs:
        return
    uids = [ran.delivery.event_uid for ran in runs]
    events = {
        row[0]: row
        for row in Event.objects.filter(uid__in=uids).values_list("uid", "type", "subject", "data")
    }
    rows = []
    causes: list[Cause] = []
    for ran in runs:
        d, verdict = ran.delivery, ran.verdict
        failure, reason = verdict.failure, verdict.reason
        error_class = failure.error_class if failure else "Unknown"
        message = failure.message if failure else verdict.note
        _, event_type, subject, data = events.get(d.event_uid, (None, "", "", {}))
        name = fingerprint(d.handler, reason.value if reason else "", error_class, message)
        causes.append(
            Cause(
                fingerprint=name, handler=d.handler, reason=reason.value if reason else "permanent",
                error_class=error_class, event_type=event_type, event_uid=d.event_uid,
                delivery_id=d.id,
            )
        )  # fmt: skip
        rows.append(
            (
                new_uid(), d.id, d.event_uid, event_type, subject, d.stream,
                _units_of(data), d.handler, d.target,
                d.category, d.priority, reason.value if reason else "permanent", error_class,
                message, failure.traceback if failure else "", name,
                d.attempts, d.failures, d.crashes, 1, d.accepted_at, ran.finished_at, "open", "",
                "",
            )
        )  # fmt: skip
    now = max(ran.finished_at for ran in runs)
    new = find_new(causes, now=now)  # before they are in the table themselves
    insert_values(_BURY, rows)
    tell_died(new, now=now)


def _units_of(data: Mapping[str, Any]) -> list[str]:
    """Name the units that an event is about. A text that is too long for one names something else."""
    found = texts_under(data, "unit_id", "unit")
    return sorted(text for text in found if len(text) <= _LONGEST_UNIT)[:_MOST_UNITS]


def resolve(delivery_ids: Sequence[int], *, state: DeadLetterState) -> int:
    """Close dead letters whose retried delivery ended well, in the current tenant."""
    return DeadLetter.objects.filter(
        delivery_id__in=delivery_ids, state=DeadLetterState.RETRYING
    ).update(state=state, decided_at=timezone.now())
