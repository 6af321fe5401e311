"""`/api/v1/dead-letters`: look at the fallback queue, retry, correct, discard, one or many."""

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
from apps.fallback.bulk import apply_to_many, choose
from apps.fallback.correcting import CannotCorrect
from apps.fallback.filters import STATES, DeadLetterFilter
from apps.fallback.models import DeadLetter
from apps.fallback.presenting import (
    BulkAnswerSerializer,
    DeadLetterDetailSerializer,
    DeadLetterPageSerializer,
    DecidedSerializer,
    GroupSerializer,
    GroupsSerializer,
    show_dead_letter,
    show_dead_letters,
)
from apps.fallback.queries import get_groups
from apps.fallback.serializers import (
    BulkSerializer,
    DeadLetterFilterSerializer,
    DiscardSerializer,
    RetrySerializer,
)
from apps.web.pagination import CursorPages
from apps.web.problems import Problem
from pms_events.categories import Category
from pms_events.errors import InvalidEvent
from pms_events.verdicts import Reason

_FILTERS = [
    OpenApiParameter("state", str, enum=STATES, default="open"),
    OpenApiParameter("reason", str, enum=[r.value for r in Reason]),
    OpenApiParameter("handler", str),
    OpenApiParameter("category", str, enum=[c.value for c in Category]),
    OpenApiParameter("type", str, description="an event type, or a pattern such as booking.*"),
    OpenApiParameter("fingerprint", str, description="a group, see /dead-letters/groups"),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="died at or after"),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="died before"),
]
_REFUSED = {
    404: OpenApiResponse(description="problem: this tenant has no such dead letter"),
    409: OpenApiResponse(description="problem: somebody decided it already, nothing was done"),
    422: OpenApiResponse(description="problem: a pointer to each bad field, nothing was done"),
}
_PAGES = [OpenApiParameter("cursor", str), OpenApiParameter("limit", int)]


class DeadLetterPages(CursorPages):
    ordering = ("-died_at", "id")


class _View(APIView):
    """What all views of the fallback queue share."""

    read_scope = write_scope = "fallback"


def _read(serializer: Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _filter_of(request: Request) -> DeadLetterFilter:
    names = {parameter.name for parameter in _FILTERS}
    given = {n: v for n, v in request.query_params.items() if n in names}
    return DeadLetterFilter(**_read(DeadLetterFilterSerializer(data=given)))


def _actor(request: Request) -> str:
    key: Any = request.auth
    return f"api key {key.name}"


class DeadLettersView(_View):
    """The fallback queue of the key's tenant."""

    @extend_schema(parameters=[*_FILTERS, *_PAGES], responses=DeadLetterPageSerializer)
    def get(self, request: Request) -> Response:
        """List dead letters, newest first; the open ones unless `state` says otherwise."""
        pages = DeadLetterPages()
        found = _filter_of(request).apply(DeadLetter.objects.all())
        page: list[DeadLetter] = pages.paginate_queryset(found, request, view=self) or []
        return pages.get_paginated_response(show_dead_letters(page))


class DeadLetterView(_View):
    """One dead letter."""

    @extend_schema(responses=DeadLetterDetailSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """Show everything: what happened, the data, attempts, reviews, who waits behind it."""
        return Response(show_dead_letter(get_object_or_404(DeadLetter, pk=pk)))


class RetryView(_View):
    """Trying again."""

    @extend_schema(request=RetrySerializer, responses={200: DecidedSerializer, **_REFUSED})
    def post(self, request: Request, pk: UUID) -> Response:
        """Retry; with `data`, publish a corrected event instead and tell its uid.

        409 when it is decided already, 422 with a pointer to each bad field of the data.
        """
        dead_letter = get_object_or_404(DeadLetter, pk=pk)
        asked = _read(RetrySerializer(data=request.data))
        how = {"actor": _actor(request), "note": asked.get("note", ""), "now": timezone.now()}
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


class DiscardView(_View):
    """Giving up."""

    @extend_schema(request=DiscardSerializer, responses={200: DecidedSerializer, **_REFUSED})
    def post(self, request: Request, pk: UUID) -> Response:
        """Discard for good, with a note that says why; 409 when it is decided already."""
        dead_letter = get_object_or_404(DeadLetter, pk=pk)
        note = _read(DiscardSerializer(data=request.data))["note"]
        try:
            operations.discard([dead_letter], actor=_actor(request), note=note, now=timezone.now())
        except operations.AlreadyDecided as error:
            raise Problem(409, str(error), code="already-decided") from error
        return _decided(dead_letter)


def _decided(dead_letter: DeadLetter, *, event_uid: UUID | None = None) -> Response:
    dead_letter.refresh_from_db(fields=["state"])
    answer = {"id": dead_letter.pk, "state": dead_letter.state, "event_uid": event_uid}
    return Response(DecidedSerializer(answer).data)


class GroupsView(_View):
    """Causes."""

    @extend_schema(parameters=_FILTERS, responses=GroupsSerializer)
    def get(self, request: Request) -> Response:
        """Group dead letters by cause (fingerprint of the error), the most frequent first."""
        groups = get_groups(_filter_of(request).apply(DeadLetter.objects.all()))
        shown = GroupSerializer(groups, many=True).data
        return Response({"results": shown, "next": None, "previous": None})


class BulkView(_View):
    """Many at once."""

    @extend_schema(request=BulkSerializer, responses=BulkAnswerSerializer)
    def post(self, request: Request) -> Response:
        """Retry or discard up to 10,000 open dead letters; `dry_run` tells which and how many.

        Those that are not open, or do not exist, are left out.
        """
        asked = _read(BulkSerializer(data=request.data))
        dead_letters = DeadLetter.objects.all()
        if "ids" in asked:
            dead_letters = dead_letters.filter(pk__in=asked["ids"])
        else:
            dead_letters = DeadLetterFilter(**asked["filter"]).apply(dead_letters)
        choice = choose(dead_letters)
        # Shown as they were before: afterwards they are not open any more.
        sample = show_dead_letters(choice.sample)
        changed = 0
        if not asked["dry_run"]:
            changed = apply_to_many(
                choice.ids,
                action=asked["action"],
                actor=_actor(request),
                note=asked.get("note", ""),
                now=timezone.now(),
            )
        return Response(
            {
                "action": asked["action"],
                "dry_run": asked["dry_run"],
                "matched": len(choice.ids),
                "changed": changed,
                "has_more": choice.has_more,
                "sample": sample,
            }
        )
