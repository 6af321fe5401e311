"""Cleans in the tenant's admin: to look at; stays change them."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from unfold.decorators import display

from apps.housekeeping.models import CleaningTask, TaskStatus
from apps.properties.searching import FoundByUnitOrBooking
from apps.web.admin import ReadOnly, TenantAdmin, link_to_log

_COLOURS = {
    TaskStatus.PLANNED: "info", TaskStatus.CANCELLED: "warning", TaskStatus.NOT_NEEDED: "default",
}  # fmt: skip


@admin.register(CleaningTask)
class CleaningTaskAdmin(FoundByUnitOrBooking, ReadOnly, TenantAdmin):
    """Cleans by the start of their window, told in the time of the property."""

    list_display = ["unit", "ready_from", "ready_until", "standing", "same_day", "booking_ref"]
    list_filter = ["status", "is_same_day", "unit__property"]
    list_select_related = ["unit__property"]
    ordering = ["window_start", "id"]
    fields = [
        "unit", "ready_from", "ready_until", "status", "is_same_day", "arrival", "departure",
        "booking_ref", "stay_ref", "source", "events",
    ]  # fmt: skip
    readonly_fields = ["ready_from", "ready_until", "events"]
    nothing_title = "No cleans are planned"
    nothing_why = "A scheduled stay plans the clean after its check-out, up to the next check-in."

    @display(description="From")
    def ready_from(self, task: CleaningTask) -> str:
        return _at_property(task.window_start, task)

    @display(description="Until", empty_value="open: nobody arrives yet")
    def ready_until(self, task: CleaningTask) -> str | None:
        return _at_property(task.window_end, task) if task.window_end else None

    @display(description="Status", label=_COLOURS)
    def standing(self, task: CleaningTask) -> tuple[Any, str]:
        return task.status, task.status.replace("_", " ")

    @display(description="Next guest", label={"the same day": "warning", "later": "default"})
    def same_day(self, task: CleaningTask) -> str:
        return "the same day" if task.is_same_day else "later"

    @display(description="Event log")
    def events(self, task: CleaningTask) -> str:
        return link_to_log("Events about this booking", subject=task.booking_ref)


def _at_property(at: datetime, task: CleaningTask) -> str:
    """Tell a time as the clock at the property shows it: cleaners are there."""
    zone = task.unit.property.timezone
    return f"{at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} ({zone})"
