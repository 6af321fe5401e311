"""Cleans in the tenant's admin: to look at; stays change them."""

from django.contrib import admin

from apps.housekeeping.models import CleaningTask
from apps.web.admin import ReadOnly, TenantAdmin


@admin.register(CleaningTask)
class CleaningTaskAdmin(ReadOnly, TenantAdmin):
    list_display = ["unit", "window_start", "window_end", "status", "is_same_day", "booking_ref"]
    list_filter = ["status", "is_same_day", "unit__property"]
    list_select_related = ["unit"]
    search_fields = ["booking_ref", "unit__ref"]
    ordering = ["window_start", "id"]
