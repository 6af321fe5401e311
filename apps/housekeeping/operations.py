"""Planning turnovers: the calendar says which stays follow each other, this keeps a clean in each gap.

Everything is derived from the calendar as it is now, so the order in which stays are reported does
not matter, and doing it twice changes nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime

from psycopg2.extras import DateRange

from apps.calendars.models import CalendarEntry
from apps.calendars.operations import lock_units
from apps.housekeeping.models import CleaningTask, TaskStatus
from apps.housekeeping.windows import local_instant
from apps.properties.models import Unit
from pms_events.catalogue.housekeeping import (
    CleaningTaskCancelled,
    CleaningTaskCreated,
    CleaningTaskMoved,
)
from pms_events.publishing import publish


@dataclass(frozen=True, slots=True, kw_only=True)
class StayKey:
    """Which stay, across all sources."""

    source: str
    booking_ref: str
    stay_ref: str


@dataclass(frozen=True, slots=True)
class _Touched:
    """Nights of a unit around which turnovers may have changed."""

    unit_id: int
    arrival: date
    departure: date


def replan_turnovers(
    stay: StayKey, *, unit: str | None, arrival: date | None, departure: date | None
) -> None:
    """Bring the turnovers around a stay in line with the calendar; tells each real change.

    Around means: the stay's own, that of the stay before it, and those of stays that its nights
    touched, where it is and where it was.
    """
    task = CleaningTask.objects.filter(
        source=stay.source, booking_ref=stay.booking_ref, stay_ref=stay.stay_ref
    ).first()
    touched = set()
    if task is not None:
        touched.add(_Touched(task.unit_id, task.arrival, task.departure))
    if unit and arrival and departure:
        found = Unit.objects.filter(ref=unit).values_list("pk", flat=True).first()
        if found is not None:
            touched.add(_Touched(found, arrival, departure))
    lock_units([t.unit_id for t in touched])
    entries = {entry.pk: entry for t in touched for entry in _around(t)}
    own = CalendarEntry.objects.filter(
        source=stay.source, booking_ref=stay.booking_ref, ref=stay.stay_ref
    ).first()
    if own is None:
        _cancel(task)
    else:
        entries[own.pk] = own
    for entry in sorted(entries.values(), key=lambda e: e.pk):
        _plan(entry)


def _around(touched: _Touched) -> list[CalendarEntry]:
    """The stays that share nights with these, and the last one before them."""
    entries = CalendarEntry.objects.filter(unit_id=touched.unit_id)
    overlapping = entries.filter(nights__overlap=DateRange(touched.arrival, touched.departure))
    before = entries.filter(nights__endswith__lte=touched.arrival, has_conflict=False).order_by(
        "-nights"
    )[:1]
    return [*overlapping, *before]


def _plan(entry: CalendarEntry) -> None:
    """Make, move or cancel the turnover of one stay."""
    task = CleaningTask.objects.filter(
        source=entry.source, booking_ref=entry.booking_ref, stay_ref=entry.ref
    ).first()
    following = (
        CalendarEntry.objects.filter(
            unit_id=entry.unit_id, has_conflict=False, nights__startswith__gte=entry.nights.upper
        )
        .exclude(pk=entry.pk)
        .order_by("nights")
        .first()
    )
    departure: date = entry.nights.upper
    is_same_day = following is not None and following.nights.lower == departure
    stays_on = (
        following is not None
        and is_same_day
        and bool(entry.guest_ref)
        and following.guest_ref == entry.guest_ref
    )
    # One in conflict may never happen here, and who stays on leaves nothing to turn over.
    if entry.has_conflict or stays_on:
        _cancel(task)
        return
    unit = Unit.objects.select_related("property").get(pk=entry.unit_id)
    place = unit.property
    window_start = local_instant(departure, place.check_out_time, place.timezone)
    window_end = (
        local_instant(following.nights.lower, place.check_in_time, place.timezone)
        if following is not None
        else None
    )
    _keep(entry, task, unit, (window_start, window_end), is_same_day=is_same_day)


def _keep(
    entry: CalendarEntry,
    task: CleaningTask | None,
    unit: Unit,
    window: tuple[datetime, datetime | None],
    *,
    is_same_day: bool,
) -> None:
    before = None
    if task is None:
        task = CleaningTask(source=entry.source, booking_ref=entry.booking_ref, stay_ref=entry.ref)
    elif task.status == TaskStatus.PLANNED:
        before = (task.unit_id, task.window_start, task.window_end)
    task.unit, task.status = unit, TaskStatus.PLANNED
    task.arrival, task.departure = entry.nights.lower, entry.nights.upper
    task.window_start, task.window_end = window
    task.is_same_day = is_same_day
    task.save()
    if before == (unit.pk, *window):
        return
    state = CleaningTaskCreated if before is None else CleaningTaskMoved
    publish(
        state(
            task_id=str(task.pk),
            unit_id=unit.ref,
            window_start=task.window_start,
            window_end=task.window_end,
            kind="turnover",
            stay_ref=task.stay_ref,
        ),
        subject=unit.ref,
    )


def _cancel(task: CleaningTask | None) -> None:
    """Call a planned clean off; nothing when there is none."""
    if task is None or task.status != TaskStatus.PLANNED:
        return
    CleaningTask.objects.filter(pk=task.pk).update(status=TaskStatus.CANCELLED)
    unit = Unit.objects.get(pk=task.unit_id)
    publish(
        CleaningTaskCancelled(task_id=str(task.pk), unit_id=unit.ref, stay_ref=task.stay_ref),
        subject=unit.ref,
    )
