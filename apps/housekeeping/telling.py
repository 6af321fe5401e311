"""What is told about cleans that were planned, moved or called off."""

from collections.abc import Iterable

from apps.housekeeping.models import CleaningTask, TaskStatus
from pms_events.catalogue.housekeeping import (
    CleaningTaskCancelled,
    CleaningTaskCreated,
    CleaningTaskMoved,
)
from pms_events.envelope import Envelope
from pms_events.event_types import catalogue
from pms_events.publishing import OWN_SOURCE, publish_many


def tell_changes(changes: Iterable[tuple[CleaningTask, bool]]) -> None:
    """Publish changed tasks, all at once; the flag tells whether each was planned before.

    The ids carry the task's version, so that saying it twice is a duplicate.
    """
    publish_many([_fact(task, was_planned=was_planned) for task, was_planned in changes])


def _fact(task: CleaningTask, *, was_planned: bool) -> Envelope:
    payload = _payload(task, was_planned=was_planned)
    return Envelope(
        id=f"cleaning-task:{task.pk}:{task.version}",
        source=OWN_SOURCE,
        type=catalogue.of(type(payload)).name,
        subject=task.unit.ref,
        data=payload.as_data(),
    )


def _payload(
    task: CleaningTask, *, was_planned: bool
) -> CleaningTaskCreated | CleaningTaskMoved | CleaningTaskCancelled:
    if task.status != TaskStatus.PLANNED:
        return CleaningTaskCancelled(
            task_id=str(task.pk), unit_id=task.unit.ref, stay_ref=task.stay_ref
        )
    kind = CleaningTaskMoved if was_planned else CleaningTaskCreated
    return kind(
        task_id=str(task.pk),
        unit_id=task.unit.ref,
        window_start=task.window_start,
        window_end=task.window_end,
        kind="turnover",
        stay_ref=task.stay_ref,
    )
