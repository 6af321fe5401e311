"""Properties and units in the tenant's admin."""

from django.contrib import admin

from apps.properties.models import Property, Unit
from apps.web.admin import TenantAdmin


@admin.register(Property)
class PropertyAdmin(TenantAdmin):
    list_display = ["ref", "name", "timezone", "check_in_time", "check_out_time"]
    search_fields = ["ref", "name"]


@admin.register(Unit)
class UnitAdmin(TenantAdmin):
    list_display = ["ref", "name", "property", "unit_type"]
    list_filter = ["property"]
    search_fields = ["ref", "name"]
