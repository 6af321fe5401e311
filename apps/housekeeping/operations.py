"""Planning turnovers: the calendar says which stays follow each other, this keeps the cleans.

Everything is derived from the calendar as it is now, so the order in which stays are reported does
not matter, and doing it twice changes nothing. Each stay has one row, also while it needs no clean:
the row remembers where the stay was, so that what was planned around it there is found again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction

from apps.calendars.models import CalendarEntry
from apps.housekeeping.models import CleaningTask, TaskStatus
from apps.housekeeping.neighbours import Neighbour, Place, get_neighbours
from apps.housekeeping.telling import tell_changes
from apps.housekeeping.windows import local_instant
from apps.properties.models import Unit

# One at a time in a tenant: runs of a batch share a transaction, and locks of units or tasks,
# taken in the batch's order, would lock it and another worker, or the bookings', out of each other.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('housekeeping'), hashtext(current_schema()))"
_WRITTEN = [
    "unit", "status", "arrival", "departure", "window_start", "window_end", "is_same_day",
    "version",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StayKey:
    """Which stay, across all sources."""

    source: str
    booking_ref: str
    stay_ref: str


def replan_turnovers(
    stay: StayKey, *, unit: str | None, arrival: date | None, departure: date | None
) -> None:
    """Bring the turnovers around a stay in line with the calendar; tells each real change.

    `unit` and the dates are where the stay was when the event was stated. Around means: the stay's
    own turnover, those of stays whose nights it touches, and of the last stay before it, where it
    is, where the event says, and where it was when it was planned last.
    """
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute(_LOCK)
        own = (
            CleaningTask.objects.select_related("unit")
            .filter(source=stay.source, booking_ref=stay.booking_ref, stay_ref=stay.stay_ref)
            .first()
        )
        places = _places(own, unit, arrival, departure)
        neighbours = get_neighbours(
            places, source=stay.source, booking_ref=stay.booking_ref, stay_ref=stay.stay_ref
        )
        tasks = _tasks(neighbours)
        changes = [
            change
            for neighbour in neighbours
            if (change := _plan(neighbour, tasks.get(_key(neighbour.entry)), stay=stay))
        ]
        if own is not None and _stay_key(own) not in {_key(n.entry) for n in neighbours}:
            changes += _call_off(own)
        _write(changes)


def _places(
    own: CleaningTask | None, unit: str | None, arrival: date | None, departure: date | None
) -> set[Place]:
    places = set()
    if own is not None:
        places.add(Place(unit_id=own.unit_id, arrival=own.arrival, departure=own.departure))
    if unit and arrival and departure:
        found = Unit.objects.filter(ref=unit).values_list("pk", flat=True).first()
        if found is not None:
            places.add(Place(unit_id=found, arrival=arrival, departure=departure))
    return places


def _tasks(neighbours: Sequence[Neighbour]) -> Mapping[StayKey, CleaningTask]:
    rows = CleaningTask.objects.select_related("unit").filter(
        booking_ref__in={neighbour.entry.booking_ref for neighbour in neighbours}
    )
    return {_stay_key(task): task for task in rows}


def _key(entry: CalendarEntry) -> StayKey:
    return StayKey(source=entry.source, booking_ref=entry.booking_ref, stay_ref=entry.ref)


def _stay_key(task: CleaningTask) -> StayKey:
    return StayKey(source=task.source, booking_ref=task.booking_ref, stay_ref=task.stay_ref)


@dataclass(slots=True)
class _Change:
    """A task as it shall be, and what was told about it before: None when it was not planned."""

    task: CleaningTask
    told: tuple[object, ...] | None


def _told(task: CleaningTask) -> tuple[object, ...] | None:
    if task.status != TaskStatus.PLANNED:
        return None
    return (task.unit_id, task.window_start, task.window_end)


def _plan(neighbour: Neighbour, task: CleaningTask | None, *, stay: StayKey) -> _Change | None:
    """Decide about the turnover of one stay; None when it stays as it is.

    Of another stay only what its row knows is replanned: where the calendar is ahead of the row,
    that stay's own event is on its way, and must find in the row where the stay was.
    """
    entry = neighbour.entry
    arrival, departure = entry.nights.lower, entry.nights.upper
    if _key(entry) != stay and (
        task is None
        or (task.unit_id, task.arrival, task.departure) != (entry.unit_id, arrival, departure)
    ):
        return None
    known = task or CleaningTask(
        source=entry.source, booking_ref=entry.booking_ref, stay_ref=entry.ref, version=0,
        status=TaskStatus.NOT_NEEDED,
    )  # fmt: skip
    before = None if task is None else [getattr(task, name) for name in _WRITTEN]
    told = _told(known)
    place = entry.unit.property
    known.unit, known.arrival, known.departure = entry.unit, arrival, departure
    known.window_start = local_instant(departure, place.check_out_time, place.timezone)
    known.window_end = neighbour.next_arrival and local_instant(
        neighbour.next_arrival, place.check_in_time, place.timezone
    )
    known.is_same_day = neighbour.next_arrival == departure
    # A clean that was told once and is not needed any more has been called off.
    unneeded = TaskStatus.CANCELLED if known.version or told else TaskStatus.NOT_NEEDED
    known.status = TaskStatus.PLANNED if neighbour.is_turnover else unneeded
    if before == [getattr(known, name) for name in _WRITTEN]:
        return None
    return _Change(task=known, told=told)


def _call_off(task: CleaningTask) -> list[_Change]:
    """The clean of a stay that is in no calendar any more; nothing when there is none."""
    told = _told(task)
    if told is None:
        return []
    task.status = TaskStatus.CANCELLED
    return [_Change(task=task, told=told)]


def _write(changes: Sequence[_Change]) -> None:
    """Store the tasks, and tell those changes that people see; each has its own version."""
    seen = [change for change in changes if _told(change.task) != change.told]
    for change in seen:
        change.task.version += 1
    stored = [change.task for change in changes if change.task.pk is not None]
    CleaningTask.objects.bulk_create([c.task for c in changes if c.task.pk is None])
    CleaningTask.objects.bulk_update(stored, _WRITTEN)
    tell_changes([(change.task, change.told is not None) for change in seen])
