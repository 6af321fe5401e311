"""`/api/v1/calendar`: which nights are taken, and availability per unit and night."""

from datetime import date, timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.calendars.models import CalendarEntry, EntryKind
from apps.calendars.queries import get_entries, nights_of
from apps.properties.models import Unit
from apps.web.openapi import PAGE_PARAMETERS, page_of
from apps.web.pagination import CursorPages
from apps.web.periods import describe_period, read_query
from apps.web.problems import Problem
from pms_events.errors import FieldError

MAX_DAYS = 400
USUAL_DAYS = 30


_PARAMETERS = [
    OpenApiParameter("unit", str),
    OpenApiParameter("property", str),
    *describe_period(OpenApiTypes.DATE, start="the first night", end="the date after the last"),
    *PAGE_PARAMETERS,
]


class CalendarQuery(serializers.Serializer):
    """Input: whose calendar, and which dates; `start` and `end` are `from` and `to`."""

    unit = serializers.CharField(required=False, max_length=255, default="")
    property = serializers.CharField(required=False, max_length=255, default="")
    start = serializers.DateField(required=False)
    end = serializers.DateField(required=False)


class CalendarEntrySerializer(serializers.Serializer):
    """Output: what takes nights of a unit; `end` is exclusive, `nights` lists each date."""

    unit_id = serializers.CharField()
    kind = serializers.ChoiceField(choices=EntryKind.values)
    start = serializers.DateField()
    end = serializers.DateField()
    nights = serializers.ListField(child=serializers.DateField())
    ref = serializers.CharField()
    booking_ref = serializers.CharField(allow_blank=True)
    source = serializers.CharField()  # type: ignore[assignment]
    channel = serializers.CharField(allow_blank=True)
    has_conflict = serializers.BooleanField()


class AvailabilitySerializer(serializers.Serializer):
    """Output: the nights of a unit, each 1 when it is free and 0 when it is taken."""

    unit_id = serializers.CharField()
    nights = serializers.DictField(child=serializers.IntegerField(min_value=0, max_value=1))


def read_calendar_query(request: Request) -> dict[str, Any]:
    """Read unit, property, from and to. Raises: Problem 422."""
    read = read_query(CalendarQuery, request)
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


class UnitPages(CursorPages):
    ordering = "ref"


class CalendarView(APIView):
    """The calendar of the key's tenant."""

    @extend_schema(
        operation_id="calendar_list",
        parameters=_PARAMETERS,
        responses=page_of(CalendarEntrySerializer),
    )
    def get(self, request: Request) -> Response:
        """List what takes nights, by unit; `?unit=&property=&from=&to=` restrict."""
        read = read_calendar_query(request)
        entries = get_entries(
            unit=read["unit"], property_=read["property"], start=read.get("start"),
            end=read.get("end"),
        )  # fmt: skip
        pages = Pages()
        page = pages.paginate_queryset(entries, request, view=self) or []
        return pages.get_paginated_response([show_entry(entry) for entry in page])


class AvailabilityView(APIView):
    """Availability: 1 for a free night of a unit, 0 for a taken one."""

    @extend_schema(
        operation_id="calendar_availability_list",
        parameters=_PARAMETERS,
        responses=page_of(AvailabilitySerializer),
    )
    def get(self, request: Request) -> Response:
        """Give each night of [from, to) (30 days from today by default) for each unit, by unit."""
        read = read_calendar_query(request)
        start, end = _period_of(read)
        units = Unit.objects.all()
        if read["unit"]:
            units = units.filter(ref=read["unit"])
        if read["property"]:
            units = units.filter(property__ref=read["property"])
        pages = UnitPages()
        page: list[Unit] = pages.paginate_queryset(units, request, view=self) or []
        taken: dict[int, set[date]] = {}
        for entry in get_entries(start=start, end=end).filter(unit__in=page):
            taken.setdefault(entry.unit_id, set()).update(nights_of(entry))
        days = [start + timedelta(days=n) for n in range((end - start).days)]
        nights = [(night, night.isoformat()) for night in days]
        return pages.get_paginated_response(
            [
                {
                    "unit_id": unit.ref,
                    "nights": {name: int(night not in of_unit) for night, name in nights},
                }
                for unit in page
                for of_unit in [taken.get(unit.pk, set())]
            ]
        )


def _period_of(read: dict[str, Any]) -> tuple[date, date]:
    """Fill in what is not asked for. Raises: Problem 422 when it is too long."""
    start: date = read.get("start") or date.today()  # noqa: DTZ011 - a calendar date
    end: date | None = read.get("end")
    try:
        end = end or start + timedelta(days=USUAL_DAYS)
    except OverflowError:
        end = date.max
    if not 0 < (end - start).days <= MAX_DAYS:
        detail = f"from 1 to {MAX_DAYS} days at once"
        raise Problem(422, detail, errors=[FieldError(pointer="#/to", detail=detail)])
    return start, end
