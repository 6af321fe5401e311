"""The daily figures in the tenant's admin: to look at."""

from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateFilter

from apps.reporting.models import DailyFigure
from apps.web.admin import ReadOnly, TenantAdmin
from apps.web.lists import ValueFilter


class PropertyFilter(ValueFilter):
    """Whose figures."""

    title = "property"
    field = "property_ref"


@admin.register(DailyFigure)
class DailyFigureAdmin(ReadOnly, TenantAdmin):
    """Figures by day."""

    list_display = ["day", "property_ref", "occupied_units", "arrivals", "departures"]
    list_filter = [PropertyFilter, ("day", RangeDateFilter)]
    list_filter_submit = True
    search_fields = ["=property_ref"]
    search_help_text = "the id of a property"
    ordering = ["day", "id"]
    nothing_title = "No figures yet"
    nothing_why = "Each scheduled stay adds its nights, arrival and departure to the days here."
