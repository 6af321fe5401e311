"""`/api/v1/events`, `/event-types`, `/replays`: take events in, follow them, deliver them again."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.dispatch.models import Lane
from apps.events.filters import STATES, EventFilter
from apps.events.ingest import ingest
from apps.events.limits import check_limits
from apps.events.models import Event, Replay
from apps.events.presenting import show_event, show_event_with_story
from apps.events.queries import get_stories
from apps.events.replaying import (
    BadReplay,
    cancel_replay,
    preview_replay,
    start_replay,
)
from apps.events.requests import read_events
from apps.events.serializers import (
    EventFilterSerializer,
    IngestAnswerSerializer,
    ReplayRequestSerializer,
    ReplaySerializer,
)
from apps.tenants.entering import current_tenant
from apps.web.authentication import actor_of
from apps.web.pagination import CursorPages
from apps.web.problems import Problem
from pms_events.errors import FieldError
from pms_events.event_types import EventType, catalogue
from pms_events.patterns import is_pattern

_FILTERS = [
    OpenApiParameter("type", str, description="an event type, or a pattern such as booking.*"),
    OpenApiParameter("subject", str),
    OpenApiParameter("source", str),
    OpenApiParameter("category", str),
    OpenApiParameter("state", str, enum=STATES),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="recorded at or after"),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="recorded before"),
]


def read_filter(values: Any) -> EventFilter:
    """Read a filter from query or body. Raises: ValidationError, Problem 422 for a bad pattern."""
    serializer = EventFilterSerializer(data=values)
    serializer.is_valid(raise_exception=True)
    chosen = EventFilter(**serializer.validated_data)
    if chosen.type and not is_pattern(chosen.type):
        detail = "must be an event type or a pattern such as booking.*"
        raise Problem(
            422, "The filter is not valid.", errors=[FieldError(pointer="#/type", detail=detail)]
        )
    return chosen


def _read_lane(request: Request) -> Lane:
    name = request.query_params.get("lane", "live")
    if name not in ("live", "bulk"):
        detail = f"'{name}' is no lane: live or bulk"
        raise Problem(422, detail, errors=[FieldError(pointer="#/lane", detail=detail)])
    return Lane.BULK if name == "bulk" else Lane.LIVE


class EventPages(CursorPages):
    ordering = "-uid"


class EventsView(APIView):
    """The event log of the key's tenant."""

    write_scope = "events:write"

    @extend_schema(
        parameters=[OpenApiParameter(
            "lane", str, enum=["live", "bulk"],
            description="bulk: an import, which is worked behind live traffic",
        )],
        request={"application/json": OpenApiTypes.OBJECT,
                 "application/cloudevents+json": OpenApiTypes.OBJECT,
                 "application/cloudevents-batch+json": OpenApiTypes.OBJECT},
        responses={202: IngestAnswerSerializer},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Take in one event or a list; 202 means that they are in the database."""
        raw = read_events(request._request)
        check_limits(current_tenant().id, events=len(raw.events))
        answer = ingest(raw, lane=_read_lane(request)).as_answer()
        if raw.is_single and answer["rejected"]:
            result = answer["results"][0]
            errors = [FieldError(**error) for error in result["errors"]]
            if result["status"] == "conflict":
                raise Problem(
                    409, "Another event is kept under this source and id.",
                    code="conflict", errors=errors, **answer,
                )  # fmt: skip
            raise Problem(422, "The event is not valid.", errors=errors, **answer)
        return Response(answer, status=202)

    @extend_schema(parameters=_FILTERS, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """List events, newest first."""
        known = {p.name for p in _FILTERS}
        values = {name: v for name, v in request.query_params.items() if name in known}
        events = read_filter(values).apply(Event.objects.all())
        pages = EventPages()
        page: list[Event] = pages.paginate_queryset(events, request, view=self) or []
        stories = get_stories([event.uid for event in page])
        return pages.get_paginated_response([show_event(e, stories[e.uid]) for e in page])


class EventView(APIView):
    """One event with its story."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, uid: UUID) -> Response:
        """Show an event, its deliveries and attempts, and what it caused."""
        event = get_object_or_404(Event, uid=uid)
        story = get_stories([uid], with_attempts=True)[uid]
        return Response(show_event_with_story(event, story))


def show_type(entry: EventType) -> dict[str, Any]:
    return {
        "type": entry.name,
        "category": entry.category.value,
        "priority": entry.priority.name,
        "stream": entry.stream,
        "description": entry.summary,
        "schema": entry.json_schema,
        "example": entry.example,
    }


class EventTypesView(APIView):
    """The catalogue."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """List every event type with its JSON Schema and an example."""
        types = [show_type(entry) for entry in catalogue]
        return Response({"results": types, "next": None, "previous": None})


class EventTypeView(APIView):
    """One event type."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, name: str) -> Response:
        """Show one event type with its JSON Schema and an example."""
        entry = catalogue.find(name) or next((e for e in catalogue if e.name == name), None)
        if entry is None:
            raise Http404(f"There is no event type '{name}': see /api/v1/event-types.")
        return Response(show_type(entry))


class ReplayPages(CursorPages):
    ordering = "-id"


class ReplaysView(APIView):
    """Replays of the key's tenant."""

    read_scope = write_scope = "replays"

    @extend_schema(responses=ReplaySerializer(many=True))
    def get(self, request: Request) -> Response:
        """List replays, newest first."""
        pages = ReplayPages()
        page = pages.paginate_queryset(Replay.objects.all(), request, view=self)
        return pages.get_paginated_response(ReplaySerializer(page, many=True).data)

    @extend_schema(request=ReplayRequestSerializer, responses={201: ReplaySerializer})
    def post(self, request: Request) -> Response:
        """Start a replay (201), or with `dry_run` say what it would do (200)."""
        serializer = ReplayRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        chosen = read_filter(asked.get("filter", {}))
        names, external = asked.get("handlers"), asked["include_external"]
        try:
            if asked["dry_run"]:
                preview = preview_replay(chosen, handler_names=names, include_external=external)
                fields = ("total", "by_type", "by_handler", "suppressed", "samples")
                return Response({name: getattr(preview, name) for name in fields})
            replay = start_replay(
                chosen,
                handler_names=names,
                include_external=external,
                rate=asked.get("rate"),
                requested_by=actor_of(request),
                reason=asked.get("reason", ""),
                now=timezone.now(),
            )
        except BadReplay as error:
            raise Problem(422, str(error)) from error
        return Response(ReplaySerializer(replay).data, status=201)


class ReplayView(APIView):
    """One replay."""

    read_scope = write_scope = "replays"

    @extend_schema(responses=ReplaySerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Show how far a replay has come."""
        return Response(ReplaySerializer(get_object_or_404(Replay, pk=pk)).data)


class CancelReplayView(APIView):
    """Stopping a replay."""

    read_scope = write_scope = "replays"

    @extend_schema(request=None, responses=ReplaySerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Stop a replay; 409 when it has ended already."""
        replay = get_object_or_404(Replay, pk=pk)
        if not cancel_replay(replay, now=timezone.now()):
            raise Problem(409, f"Replay {pk} has ended already: nothing was changed.")
        replay.refresh_from_db()
        return Response(ReplaySerializer(replay).data)
