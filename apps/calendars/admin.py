"""The calendar in the tenant's admin: to look at; bookings change it."""

from django.contrib import admin

from apps.calendars.models import CalendarEntry
from apps.web.admin import ReadOnly, TenantAdmin


@admin.register(CalendarEntry)
class CalendarEntryAdmin(ReadOnly, TenantAdmin):
    list_display = ["unit", "arrival", "departure", "booking_ref", "channel", "has_conflict"]
    list_filter = ["has_conflict", "unit__property"]
    list_select_related = ["unit"]
    search_fields = ["booking_ref", "ref", "unit__ref"]

    @admin.display(ordering="nights")
    def arrival(self, entry: CalendarEntry) -> str:
        return entry.nights.lower.isoformat()

    @admin.display
    def departure(self, entry: CalendarEntry) -> str:
        return entry.nights.upper.isoformat()
