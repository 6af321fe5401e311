"""Properties and units in the tenant's admin."""

from django.contrib import admin
from unfold.decorators import display

from apps.properties.models import Property, Unit
from apps.web.admin import TenantAdmin, link_to_log


@admin.register(Property)
class PropertyAdmin(TenantAdmin):
    list_display = ["ref", "name", "timezone", "check_in", "check_out"]
    list_filter = ["timezone"]
    search_fields = ["ref", "name"]
    search_help_text = "words in the id or name"
    sortable_by = ["ref", "name", "timezone"]
    nothing_title = "No properties yet"
    nothing_why = "Add one here or by the API, then its units: bookings name them by their ids."

    @display(description="Check-in")
    def check_in(self, row: Property) -> str:
        return f"{row.check_in_time:%H:%M}"

    @display(description="Check-out")
    def check_out(self, row: Property) -> str:
        return f"{row.check_out_time:%H:%M}"


@admin.register(Unit)
class UnitAdmin(TenantAdmin):
    list_display = ["ref", "name", "property", "unit_type"]
    list_filter = ["property"]
    list_select_related = ["property"]
    search_fields = ["ref", "name"]
    search_help_text = "words in the id or name"
    sortable_by = ["ref", "name", "unit_type"]
    nothing_title = "No units yet"
    nothing_why = (
        "A unit is what one party at a time stays in. Add a property first, then its units."
    )
    readonly_fields = ["events"]

    @display(description="Event log", empty_value="–")
    def events(self, unit: Unit) -> str | None:
        return link_to_log("Events that name this unit", text=unit.ref) if unit.pk else None
