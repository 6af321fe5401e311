"""`/api/v1/replays`: logged events delivered again, told beforehand, paused, resumed, cancelled."""

from typing import ClassVar

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.events.described import ReplayPreviewSerializer
from apps.events.filters import EventFilter
from apps.events.models import Replay
from apps.events.replay_control import NotPossible, control_replay
from apps.events.replaying import BadReplay, preview_replay, start_replay
from apps.events.serializers import (
    ReplayControlSerializer,
    ReplayRequestSerializer,
    ReplaySerializer,
)
from apps.web.authentication import actor_of
from apps.web.openapi import PAGE_PARAMETERS, page_of
from apps.web.pagination import CursorPages
from apps.web.problems import Problem


class ReplayPages(CursorPages):
    ordering = "-id"


class ReplaysView(APIView):
    """Replays of the key's tenant."""

    read_scope = write_scope = "replays"

    @extend_schema(
        operation_id="replays_list", parameters=PAGE_PARAMETERS, responses=page_of(ReplaySerializer)
    )
    def get(self, request: Request) -> Response:
        """List replays, newest first."""
        pages = ReplayPages()
        page = pages.paginate_queryset(Replay.objects.all(), request, view=self)
        return pages.get_paginated_response(ReplaySerializer(page, many=True).data)

    @extend_schema(
        request=ReplayRequestSerializer,
        responses={200: ReplayPreviewSerializer, 201: ReplaySerializer},
    )
    def post(self, request: Request) -> Response:
        """Start a replay (201), or with `dry_run` say what it would do (200)."""
        serializer = ReplayRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        chosen = EventFilter(**asked["filter"])
        names, external = asked.get("handlers"), asked["include_external"]
        try:
            if asked["dry_run"]:
                preview = preview_replay(chosen, handler_names=names, include_external=external)
                fields = ("total", "by_type", "by_handler", "suppressed", "reasons", "samples")
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


class ControlReplayView(APIView):
    """Pausing, resuming and cancelling a replay."""

    read_scope = write_scope = "replays"
    verb: ClassVar[str] = ""

    @extend_schema(request=ReplayControlSerializer, responses=ReplaySerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Pause, resume or cancel; 409 when the replay's state does not allow it."""
        serializer = ReplayControlSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        replay = get_object_or_404(Replay, pk=pk)
        reason = serializer.validated_data["reason"]
        try:
            control_replay(
                replay, self.verb, actor=actor_of(request), reason=reason, now=timezone.now()
            )
        except NotPossible as error:
            raise Problem(409, str(error)) from error
        return Response(ReplaySerializer(replay).data)
