"""Housekeeping: cleans that are planned, moved and called off."""

from typing import ClassVar, Literal

from pms_events.categories import HOUSEKEEPING, P2
from pms_events.event_types import event_type
from pms_events.payloads import AwareDatetime, Identifier, Payload


class CleaningTaskState(Payload):
    """A clean as it is planned now."""

    task_id: Identifier
    unit_id: Identifier
    window_start: AwareDatetime
    window_end: AwareDatetime | None = None
    kind: Literal["turnover"]
    stay_ref: Identifier | None = None

    example: ClassVar = {
        "task_id": "41",
        "unit_id": "seaview-101",
        "window_start": "2027-06-04T09:00:00Z",
        "window_end": "2027-06-04T13:00:00Z",
        "kind": "turnover",
        "stay_ref": "3333333333-1",
    }


@event_type("cleaning.task_created", category=HOUSEKEEPING, priority=P2, stream="unit:{unit_id}")
class CleaningTaskCreated(CleaningTaskState):
    """A clean was planned (own): a guest will leave behind a unit to be made ready."""


@event_type("cleaning.task_moved", category=HOUSEKEEPING, priority=P2, stream="unit:{unit_id}")
class CleaningTaskMoved(CleaningTaskState):
    """A planned clean has another unit or window (own)."""


@event_type("cleaning.task_cancelled", category=HOUSEKEEPING, priority=P2, stream="unit:{unit_id}")
class CleaningTaskCancelled(Payload):
    """A planned clean is not needed any more (own)."""

    task_id: Identifier
    unit_id: Identifier
    stay_ref: Identifier | None = None

    example: ClassVar = {"task_id": "41", "unit_id": "seaview-101", "stay_ref": "3333333333-1"}
