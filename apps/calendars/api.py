"""`/api/v1/calendar`: which nights are taken, and availability per unit and night."""

from datetime import date, timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.calendars.models import CalendarEntry
from apps.calendars.queries import get_entries, nights_of
from apps.properties.models import Unit
from apps.web.pagination import CursorPages
from apps.web.problems import Problem
from pms_events.errors import FieldError

MAX_DAYS = 400


class CalendarQuery(serializers.Serializer):
    """Input: whose calendar, and which dates ([from, to))."""

    unit = serializers.CharField(required=False, max_length=255, default="")
    property = serializers.CharField(required=False, max_length=255, default="")
    start = serializers.DateField(required=False)
    end = serializers.DateField(required=False)


def read_query(request: Request) -> dict[str, Any]:
    """Read unit, property, from and to. Raises: ValidationError, Problem 422."""
    names = {"from": "start", "to": "end", "unit": "unit", "property": "property"}
    values = {names[k]: v for k, v in request.query_params.items() if k in names}
    serializer = CalendarQuery(data=values)
    serializer.is_valid(raise_exception=True)
    read = dict(serializer.validated_data)
    start, end = read.get("start"), read.get("end")
    if start and end and start >= end:
        detail = "must be after from; it is exclusive"
        raise Problem(
            422, "No night is asked for.", errors=[FieldError(pointer="#/to", detail=detail)]
        )
    return read


def show_entry(entry: CalendarEntry) -> dict[str, Any]:
    """An entry: `end` is exclusive, `nights` lists each date that is taken."""
    return {
        "unit_id": entry.unit.ref,
        "kind": entry.kind,
        "start": entry.nights.lower,
        "end": entry.nights.upper,
        "nights": list(nights_of(entry)),
        "ref": entry.ref,
        "booking_ref": entry.booking_ref,
        "source": entry.source,
        "channel": entry.channel,
        "has_conflict": entry.has_conflict,
    }


class Pages(CursorPages):
    # By the unit's own key: a cursor cannot be written for a field of a relation.
    ordering = ("unit_id", "id")


class CalendarView(APIView):
    """The calendar of the key's tenant."""

    @extend_schema(parameters=[CalendarQuery], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """List what takes nights, by unit; `?unit=&property=&from=&to=` restrict."""
        read = read_query(request)
        entries = get_entries(
            unit=read["unit"], property_=read["property"], start=read.get("start"),
            end=read.get("end"),
        )  # fmt: skip
        pages = Pages()
        page = pages.paginate_queryset(entries, request, view=self) or []
        return pages.get_paginated_response([show_entry(entry) for entry in page])


class AvailabilityView(APIView):
    """Availability: 1 for a free night of a unit, 0 for a taken one."""

    @extend_schema(parameters=[CalendarQuery], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Give each night of [from, to) (30 days from today by default) for each unit."""
        read = read_query(request)
        start: date = read.get("start") or date.today()  # noqa: DTZ011 - a calendar date
        end: date = read.get("end") or start + timedelta(days=30)
        if (end - start).days > MAX_DAYS:
            detail = f"at most {MAX_DAYS} days at once"
            raise Problem(422, detail, errors=[FieldError(pointer="#/to", detail=detail)])
        units = Unit.objects.all()
        if read["unit"]:
            units = units.filter(ref=read["unit"])
        if read["property"]:
            units = units.filter(property__ref=read["property"])
        taken: dict[str, set[date]] = {}
        for entry in get_entries(
            unit=read["unit"], property_=read["property"], start=start, end=end
        ):
            taken.setdefault(entry.unit.ref, set()).update(nights_of(entry))
        days = [start + timedelta(days=n) for n in range((end - start).days)]
        nights = [(night, night.isoformat()) for night in days]
        return Response(
            {
                "results": [
                    {
                        "unit_id": unit.ref,
                        "nights": {name: int(night not in of_unit) for night, name in nights},
                    }
                    for unit in units
                    for of_unit in [taken.get(unit.ref, set())]
                ]
            }
        )
