"""`/api/v1/reports/occupancy`."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.reporting.models import DailyFigure, DailyRevenue
from apps.web.openapi import PAGE_PARAMETERS, page_of
from apps.web.pagination import CursorPages
from apps.web.periods import describe_period, read_query


class OccupancyQuery(serializers.Serializer):
    """Input: whose figures; `start` and `end` are `from` and `to` (exclusive)."""

    property = serializers.CharField(required=False)
    start = serializers.DateField(required=False)
    end = serializers.DateField(required=False)


_PARAMETERS = [
    OpenApiParameter("property", str),
    *describe_period(OpenApiTypes.DATE, start="the first day", end="the date after the last"),
    *PAGE_PARAMETERS,
]


class OccupancySerializer(serializers.Serializer):
    """Output: a day of a property; `revenue_minor` by currency, in its minor units."""

    property_id = serializers.CharField()
    day = serializers.DateField()
    occupied_units = serializers.IntegerField()
    arrivals = serializers.IntegerField()
    departures = serializers.IntegerField()
    revenue_minor = serializers.DictField(child=serializers.IntegerField())


class Pages(CursorPages):
    ordering = ("day", "id")


class OccupancyView(APIView):
    """The daily figures of the key's tenant."""

    @extend_schema(
        operation_id="reports_occupancy_list",
        parameters=_PARAMETERS,
        responses=page_of(OccupancySerializer),
    )
    def get(self, request: Request) -> Response:
        """List days with occupied units, arrivals, departures, and revenue by currency."""
        query = read_query(OccupancyQuery, request)
        names = {"property": "property_ref", "start": "day__gte", "end": "day__lt"}
        filters = {names[name]: value for name, value in query.items()}
        pages = Pages()
        page: list[DailyFigure] = (
            pages.paginate_queryset(DailyFigure.objects.filter(**filters), request, view=self) or []
        )
        revenue: dict[tuple[str, Any], dict[str, int]] = {}
        earned = DailyRevenue.objects.filter(
            property_ref__in={figure.property_ref for figure in page},
            day__in={figure.day for figure in page},
        )
        for row in earned:
            revenue.setdefault((row.property_ref, row.day), {})[row.currency] = row.amount_minor
        return pages.get_paginated_response(
            [
                {
                    "property_id": figure.property_ref,
                    "day": figure.day,
                    "occupied_units": figure.occupied_units,
                    "arrivals": figure.arrivals,
                    "departures": figure.departures,
                    "revenue_minor": revenue.get((figure.property_ref, figure.day), {}),
                }
                for figure in page
            ]
        )
