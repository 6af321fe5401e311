"""Searching admin lists of what happens in units: by the unit, or by the booking."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from apps.properties.queries import find_unit_ids
from apps.web.lists import starts_with


class FoundByUnitOrBooking:
    """A mixin: rows with `unit` and `booking_ref` are found by a unit's id, or how a reference begins.

    Put it before the admin class.
    """

    search_fields = ["booking_ref"]  # makes the box appear; `get_search_results` searches
    search_help_text = "a unit's id, or how a booking's reference begins"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        if units := find_unit_ids(text):
            return queryset.filter(unit_id__in=units), False
        return queryset.filter(starts_with(text, "booking_ref")), False
