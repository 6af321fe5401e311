"""`/api/v1/cleaning-tasks`."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.housekeeping.models import CleaningTask, TaskStatus
from apps.web.pagination import CursorPages


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


class Pages(CursorPages):
    ordering = ("window_start", "id")


class CleaningTasksView(APIView):
    """The cleans of the key's tenant."""

    @extend_schema(parameters=[CleaningQuery], responses=CleaningTaskSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List cleans by the start of their window; `?unit=&status=&from=&to=` restrict."""
        renamed = {"from": "start", "to": "end"}
        query = CleaningQuery(data={renamed.get(k, k): v for k, v in request.query_params.items()})
        query.is_valid(raise_exception=True)
        names = {
            "unit": "unit__ref", "status": "status", "start": "window_start__gte",
            "end": "window_start__lt",
        }  # fmt: skip
        rows = CleaningTask.objects.filter(
            **{names[name]: value for name, value in query.validated_data.items()}
        ).select_related("unit")
        if "status" not in query.validated_data:
            rows = rows.exclude(status=TaskStatus.NOT_NEEDED)
        pages = Pages()
        page = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(CleaningTaskSerializer(page, many=True).data)
