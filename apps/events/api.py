"""`/api/v1/events` and `/event-types`: take events in, find and follow them."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.dispatch.models import Lane
from apps.events.described import (
    REQUEST,
    EventDetailSerializer,
    EventTypeSerializer,
    LoggedEventSerializer,
)
from apps.events.filters import STATES, EventFilter
from apps.events.ingest import ingest
from apps.events.limits import check_limits
from apps.events.log_pages import MOST, PAGE, find_page, link
from apps.events.models import Event
from apps.events.presenting import show_event, show_event_with_story
from apps.events.queries import get_stories
from apps.events.requests import read_events
from apps.events.serializers import (
    EventFilterSerializer,
    IngestAnswerSerializer,
)
from apps.tenants.entering import current_tenant
from apps.web.numbers import read_whole
from apps.web.openapi import PAGE_PARAMETERS, page_of
from apps.web.problems import Problem
from pms_events.categories import Category
from pms_events.errors import FieldError
from pms_events.event_types import EventType, catalogue

_FILTERS = [
    OpenApiParameter("uid", OpenApiTypes.UUID, description="one event alone"),
    OpenApiParameter("type", str, description="an event type, or a pattern such as booking.*"),
    OpenApiParameter("subject", str),
    OpenApiParameter("source", str),
    OpenApiParameter("category", str, enum=[c.value for c in Category]),
    OpenApiParameter("state", str, enum=STATES),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="recorded at or after"),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="recorded before"),
    OpenApiParameter("text", str, description="anywhere in the payload as JSON"),
]
_REFUSED = {
    400: OpenApiResponse(description="The body cannot be read: nothing was stored."),
    409: OpenApiResponse(description="One event, and another is kept under its source and id."),
    413: OpenApiResponse(description="More than 1,000 events, 10 MiB, or 256 KiB an event."),
    415: OpenApiResponse(description="Another content type."),
    422: OpenApiResponse(description="One event, and it is not valid: a pointer to each field."),
    429: OpenApiResponse(description="Over the tenant's rate or backlog: see Retry-After."),
}


def _read_filter(request: Request) -> EventFilter:
    """Read the filter of the address. Raises: ValidationError."""
    known = {parameter.name for parameter in _FILTERS}
    given = {name: v for name, v in request.query_params.items() if name in known}
    serializer = EventFilterSerializer(data=given)
    serializer.is_valid(raise_exception=True)
    return EventFilter(**serializer.validated_data)


def _read_lane(request: Request) -> Lane:
    name = request.query_params.get("lane", "live")
    if name not in ("live", "bulk"):
        detail = f"'{name}' is no lane: live or bulk"
        raise Problem(422, detail, errors=[FieldError(pointer="#/lane", detail=detail)])
    return Lane.BULK if name == "bulk" else Lane.LIVE


def _read_limit(text: str) -> int:
    """Read `limit` as the other lists do: what is no number is the usual size."""
    limit = read_whole(text)
    return PAGE if limit is None else max(1, min(limit, MOST))


def _absolute(request: Request, cursor: str | None) -> str | None:
    path = link(request._request, cursor)
    return request.build_absolute_uri(path) if path else None


class EventsView(APIView):
    """The event log of the key's tenant."""

    write_scope = "events:write"

    @extend_schema(
        parameters=[OpenApiParameter(
            "lane", str, enum=["live", "bulk"],
            description="bulk: an import, which is worked behind live traffic",
        )],
        request=REQUEST,
        responses={202: IngestAnswerSerializer, **_REFUSED},
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

    @extend_schema(
        operation_id="events_list",
        parameters=[*_FILTERS, *PAGE_PARAMETERS],
        responses=page_of(LoggedEventSerializer),
    )
    def get(self, request: Request) -> Response:
        """List events, newest first. A search through many events may end a page before it is full:
        follow `next` until it is null."""
        page = find_page(
            _read_filter(request),
            cursor=request.query_params.get("cursor", ""),
            size=_read_limit(request.query_params.get("limit", "")),
        )
        stories = get_stories([event.uid for event in page.events])
        return Response(
            {
                "results": [show_event(e, stories[e.uid]) for e in page.events],
                "next": _absolute(request, page.older),
                "previous": _absolute(request, page.newer),
            }
        )


class EventView(APIView):
    """One event with its story."""

    @extend_schema(responses=EventDetailSerializer)
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

    @extend_schema(operation_id="event_types_list", responses=page_of(EventTypeSerializer))
    def get(self, request: Request) -> Response:
        """List every event type with its JSON Schema and an example."""
        types = [show_type(entry) for entry in catalogue]
        return Response({"results": types, "next": None, "previous": None})


class EventTypeView(APIView):
    """One event type."""

    @extend_schema(responses=EventTypeSerializer)
    def get(self, request: Request, name: str) -> Response:
        """Show one event type with its JSON Schema and an example."""
        entry = catalogue.find(name) or next((e for e in catalogue if e.name == name), None)
        if entry is None:
            raise Http404(f"There is no event type '{name}': see /api/v1/event-types.")
        return Response(show_type(entry))
