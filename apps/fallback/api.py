"""`/api/v1/dead-letters`: look at the fallback queue, and decide about one; many: `api_bulk`."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from apps.fallback import operations
from apps.fallback.caring import AssignedMeanwhile, UnknownAssignee, assign, comment
from apps.fallback.correcting import CannotCorrect
from apps.fallback.filters import STATES, UNASSIGNED, DeadLetterFilter
from apps.fallback.groups import get_groups
from apps.fallback.models import DeadLetter
from apps.fallback.presenting import (
    DeadLetterDetailSerializer,
    DeadLetterPageSerializer,
    DecidedSerializer,
    GroupSerializer,
    GroupsSerializer,
    show_dead_letter,
    show_dead_letters,
)
from apps.fallback.serializers import (
    AssignSerializer,
    CommentSerializer,
    DeadLetterFilterSerializer,
    DiscardSerializer,
    RetrySerializer,
)
from apps.web.authentication import actor_of
from apps.web.openapi import PAGE_PARAMETERS
from apps.web.pagination import CursorPages
from apps.web.problems import Problem
from pms_events.categories import Category
from pms_events.errors import FieldError, InvalidEvent
from pms_events.verdicts import Reason

_FILTERS = [
    OpenApiParameter("state", str, enum=STATES, default="open"),
    OpenApiParameter("reason", str, enum=[r.value for r in Reason]),
    OpenApiParameter("handler", str),
    OpenApiParameter("category", str, enum=[c.value for c in Category]),
    OpenApiParameter("type", str, description="an event type, or a pattern such as booking.*"),
    OpenApiParameter("fingerprint", str, description="a group, see /dead-letters/groups"),
    OpenApiParameter("assignee", str, description=f"a user name, or {UNASSIGNED}"),
    OpenApiParameter("event", OpenApiTypes.UUID, description="the uid of an event"),
    OpenApiParameter("search", str, description="words in the subject, error, type or handler"),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="died at or after"),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="died before"),
]
_REFUSED = {
    404: OpenApiResponse(description="problem: this tenant has no such dead letter"),
    409: OpenApiResponse(description="problem: somebody decided it already, nothing was done"),
    422: OpenApiResponse(description="problem: a pointer to each bad field, nothing was done"),
}


class DeadLetterPages(CursorPages):
    ordering = ("-died_at", "id")


class FallbackView(APIView):
    """What all views of the fallback queue share."""

    read_scope = write_scope = "fallback"


def read_input(serializer: Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _filter_of(request: Request) -> DeadLetterFilter:
    names = {parameter.name for parameter in _FILTERS}
    given = {n: v for n, v in request.query_params.items() if n in names}
    return DeadLetterFilter(**read_input(DeadLetterFilterSerializer(data=given)))


class DeadLettersView(FallbackView):
    """The fallback queue of the key's tenant."""

    @extend_schema(
        operation_id="dead_letters_list",
        parameters=[*_FILTERS, *PAGE_PARAMETERS],
        responses=DeadLetterPageSerializer,
    )
    def get(self, request: Request) -> Response:
        """List dead letters, newest first; the open ones unless `state` says otherwise."""
        pages = DeadLetterPages()
        found = _filter_of(request).apply(DeadLetter.objects.select_related("assignee"))
        page: list[DeadLetter] = pages.paginate_queryset(found, request, view=self) or []
        return pages.get_paginated_response(show_dead_letters(page))


class DeadLetterView(FallbackView):
    """One dead letter."""

    @extend_schema(responses=DeadLetterDetailSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """Show everything: what happened, the data, attempts, reviews, who waits behind it."""
        return Response(show_dead_letter(get_object_or_404(DeadLetter, pk=pk)))


class RetryView(FallbackView):
    """Trying again."""

    @extend_schema(request=RetrySerializer, responses={200: DecidedSerializer, **_REFUSED})
    def post(self, request: Request, pk: UUID) -> Response:
        """Retry; with `data`, publish a corrected event instead and tell its uid.

        409 when it is decided already, 422 with a pointer to each bad field of the data.
        """
        dead_letter = get_object_or_404(DeadLetter, pk=pk)
        asked = read_input(RetrySerializer(data=request.data))
        how = {"actor": actor_of(request), "note": asked.get("note", ""), "now": timezone.now()}
        uid = None
        try:
            if "data" in asked:
                uid = operations.correct(dead_letter, data=asked["data"], **how)
            else:
                operations.retry([dead_letter], **how)
        except operations.AlreadyDecided as error:
            raise Problem(409, str(error), code="already-decided") from error
        except CannotCorrect as error:
            raise Problem(422, str(error), code="cannot-correct") from error
        except InvalidEvent as error:
            raise Problem(422, "The corrected data is not valid.", errors=error.errors) from error
        return _decided(dead_letter, event_uid=uid)


class DiscardView(FallbackView):
    """Giving up."""

    @extend_schema(request=DiscardSerializer, responses={200: DecidedSerializer, **_REFUSED})
    def post(self, request: Request, pk: UUID) -> Response:
        """Discard for good, with a note that says why; 409 when it is decided already."""
        dead_letter = get_object_or_404(DeadLetter, pk=pk)
        note = read_input(DiscardSerializer(data=request.data))["note"]
        try:
            operations.discard(
                [dead_letter], actor=actor_of(request), note=note, now=timezone.now()
            )
        except operations.AlreadyDecided as error:
            raise Problem(409, str(error), code="already-decided") from error
        return _decided(dead_letter)


def _decided(dead_letter: DeadLetter, *, event_uid: UUID | None = None) -> Response:
    dead_letter.refresh_from_db(fields=["state"])
    answer = {"id": dead_letter.pk, "state": dead_letter.state, "event_uid": event_uid}
    return Response(DecidedSerializer(answer).data)


class AssignView(FallbackView):
    """Who looks after it."""

    @extend_schema(request=AssignSerializer, responses={200: DecidedSerializer, **_REFUSED})
    def post(self, request: Request, pk: UUID) -> Response:
        """Have a user of the tenant look after it, or with null nobody; 409 when it is decided."""
        dead_letter = get_object_or_404(DeadLetter, pk=pk)
        asked = read_input(AssignSerializer(data=request.data))
        try:
            assign(
                [dead_letter], to=asked["assignee"] or "", actor=actor_of(request),
                note=asked.get("note", ""), now=timezone.now(),
            )  # fmt: skip
        except UnknownAssignee as error:
            where = [FieldError(pointer="#/assignee", detail=str(error))]
            raise Problem(422, "Some fields are not valid.", errors=where) from error
        except (operations.AlreadyDecided, AssignedMeanwhile) as error:
            raise Problem(409, str(error), code="already-decided") from error
        return _decided(dead_letter)


class CommentView(FallbackView):
    """Remarks."""

    @extend_schema(request=CommentSerializer, responses={200: DecidedSerializer, **_REFUSED})
    def post(self, request: Request, pk: UUID) -> Response:
        """Keep a remark in its audit trail; decided ones take remarks too."""
        dead_letter = get_object_or_404(DeadLetter, pk=pk)
        note = read_input(CommentSerializer(data=request.data))["note"]
        comment([dead_letter], actor=actor_of(request), note=note, now=timezone.now())
        return _decided(dead_letter)


class GroupsView(FallbackView):
    """Causes."""

    @extend_schema(parameters=_FILTERS, responses=GroupsSerializer)
    def get(self, request: Request) -> Response:
        """Group dead letters by cause (fingerprint of the error), the most frequent first.

        Counting stops at 10,000 a cause, and earlier when there are many: see `count_is_capped`.
        """
        groups = get_groups(_filter_of(request), now=timezone.now())
        shown = GroupSerializer(groups.found, many=True).data
        return Response({"results": shown, "next": None, "previous": None})
