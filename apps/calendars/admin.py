"""The calendar in the tenant's admin: to look at; bookings change it."""

from django.contrib import admin
from unfold.decorators import display

from apps.calendars.models import CalendarEntry
from apps.properties.searching import FoundByUnitOrBooking
from apps.web.admin import ReadOnly, TenantAdmin, link_to_log


@admin.register(CalendarEntry)
class CalendarEntryAdmin(FoundByUnitOrBooking, ReadOnly, TenantAdmin):
    """Taken nights, the newest entries first."""

    list_display = ["unit", "arrival", "departure", "booking_ref", "channel", "standing"]
    list_filter = ["has_conflict", "unit__property"]
    list_select_related = ["unit"]
    ordering = ["-id"]
    fields = [
        "unit", "arrival", "departure", "kind", "has_conflict", "booking_ref", "guest_ref", "channel",
        "source", "events",
    ]  # fmt: skip
    readonly_fields = ["arrival", "departure", "events"]
    nothing_title = "No nights are taken"
    nothing_why = (
        "A confirmed booking takes the nights of its stays here. Two that take the same night are "
        "both kept, in conflict, until a person decides."
    )

    @display(description="Arrival")
    def arrival(self, entry: CalendarEntry) -> str:
        return entry.nights.lower.isoformat()

    @display(description="Departure")
    def departure(self, entry: CalendarEntry) -> str:
        return entry.nights.upper.isoformat()

    @display(description="Nights", label={"in conflict": "danger", "taken": "success"})
    def standing(self, entry: CalendarEntry) -> str:
        return "in conflict" if entry.has_conflict else "taken"

    @display(description="Event log", empty_value="–")
    def events(self, entry: CalendarEntry) -> str | None:
        if not entry.booking_ref:
            return None
        return link_to_log("Events about this booking", subject=entry.booking_ref)
