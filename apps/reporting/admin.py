"""The daily figures in the tenant's admin: to look at."""

from django.contrib import admin

from apps.reporting.models import DailyFigure
from apps.web.admin import ReadOnly, TenantAdmin


@admin.register(DailyFigure)
class DailyFigureAdmin(ReadOnly, TenantAdmin):
    list_display = ["property_ref", "day", "occupied_units", "arrivals", "departures"]
    list_filter = ["property_ref"]
    date_hierarchy = "day"
    ordering = ["day", "id"]
