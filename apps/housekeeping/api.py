"""`/api/v1/cleaning-tasks`."""

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.housekeeping.models import CleaningTask, TaskStatus
from apps.web.openapi import PAGE_PARAMETERS, page_of
from apps.web.pagination import CursorPages
from apps.web.periods import describe_period, read_query


class CleaningTaskSerializer(serializers.ModelSerializer):
    """Output: a clean."""

    unit_id = serializers.CharField(source="unit.ref")

    class Meta:
        model = CleaningTask
        fields = [
            "id", "unit_id", "kind", "status", "booking_ref", "stay_ref", "window_start",
            "window_end", "is_same_day",
        ]  # fmt: skip


class CleaningQuery(serializers.Serializer):
    """Input: which cleans; `start` and `end` are `from` and `to`, of the window's start."""

    unit = serializers.CharField(required=False)
    status = serializers.ChoiceField(required=False, choices=TaskStatus.choices)
    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)


_PARAMETERS = [
    OpenApiParameter("unit", str),
    OpenApiParameter(
        "status", str, enum=TaskStatus.values, description="default: all but not_needed"
    ),
    *describe_period(
        OpenApiTypes.DATETIME,
        start="the window starts then or later",
        end="the window starts before",
    ),
    *PAGE_PARAMETERS,
]


class Pages(CursorPages):
    ordering = ("window_start", "id")


class CleaningTasksView(APIView):
    """The cleans of the key's tenant."""

    @extend_schema(
        operation_id="cleaning_tasks_list",
        parameters=_PARAMETERS,
        responses=page_of(CleaningTaskSerializer),
    )
    def get(self, request: Request) -> Response:
        """List cleans by the start of their window; `?unit=&status=&from=&to=` restrict."""
        query = read_query(CleaningQuery, request)
        names = {
            "unit": "unit__ref", "status": "status", "start": "window_start__gte",
            "end": "window_start__lt",
        }  # fmt: skip
        rows = CleaningTask.objects.filter(
            **{names[name]: value for name, value in query.items()}
        ).select_related("unit")
        if "status" not in query:
            rows = rows.exclude(status=TaskStatus.NOT_NEEDED)
        pages = Pages()
        page = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(CleaningTaskSerializer(page, many=True).data)


class CleaningTaskView(APIView):
    """One clean."""

    @extend_schema(responses=CleaningTaskSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Show a clean."""
        rows = CleaningTask.objects.select_related("unit")
        return Response(CleaningTaskSerializer(get_object_or_404(rows, pk=pk)).data)
