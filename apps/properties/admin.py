"""Properties and units in the tenant's admin."""

from django.contrib import admin
from unfold.decorators import display

from apps.properties.models import Property, Unit
from apps.web.admin import TenantAdmin, link_to_log


@admin.register(Property)
class PropertyAdmin(TenantAdmin):
    list_display = ["ref", "name", "timezone", "check_in_time", "check_out_time"]
    search_fields = ["ref", "name"]


@admin.register(Unit)
class UnitAdmin(TenantAdmin):
    list_display = ["ref", "name", "property", "unit_type"]
    list_filter = ["property"]
    search_fields = ["ref", "name"]
    readonly_fields = ["events"]

    @display(description="Event log", empty_value="–")
    def events(self, unit: Unit) -> str | None:
        return link_to_log("Events that name this unit", text=unit.ref) if unit.pk else None
