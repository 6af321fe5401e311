"""`/api/v1/connections`: outside senders. What they post goes to `/hooks/{token}`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.sync import connecting
from apps.sync.connecting import BadConnection, Made
from apps.sync.models import Connection
from apps.sync.serializers_connections import (
    ConnectionChanges,
    ConnectionInput,
    ConnectionSerializer,
    NewConnectionSerializer,
    SecretInput,
)
from apps.web.openapi import PAGE_PARAMETERS, page_of
from apps.web.pagination import CursorPages
from apps.web.problems import Problem
from pms_events.errors import FieldError

_SILENT_AFTER = "silent_after_seconds"


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what operations refuse into problems."""
    try:
        yield
    except BadConnection as error:
        field = _SILENT_AFTER if error.field == "silent_after" else error.field
        where = [FieldError(pointer=f"#/{field}", detail=str(error))]
        raise Problem(422, "The connection is not valid.", errors=where) from error
    except Connection.DoesNotExist as error:
        raise Http404("The connection was deleted meanwhile.") from error


def _values(given: dict[str, Any]) -> dict[str, Any]:
    """Turn the seconds that a program gives into what operations take."""
    values = dict(given)
    if _SILENT_AFTER in values:
        seconds = values.pop(_SILENT_AFTER)
        values["silent_after"] = None if seconds is None else timedelta(seconds=seconds)
    return values


def hook_url(request: HttpRequest | Request, token: str) -> str:
    """The address that a sender posts to, on the host that was asked."""
    return request.build_absolute_uri(reverse("hook", kwargs={"token": token}))


def _show_once(made: Made, request: Request) -> dict[str, Any]:
    shown: dict[str, Any] = dict(ConnectionSerializer(made.connection).data)
    if made.token is not None:
        shown |= {"token": made.token, "url": hook_url(request, made.token)}
    if made.secret is not None:
        shown["secret"] = made.secret
    return shown


class ConnectionPages(CursorPages):
    ordering = ("created_at", "id")


class ConnectionsView(APIView):
    """The connections of the key's tenant."""

    read_scope = write_scope = "config"

    @extend_schema(
        operation_id="connections_list",
        parameters=PAGE_PARAMETERS,
        responses=page_of(ConnectionSerializer),
    )
    def get(self, request: Request) -> Response:
        """List connections with their health, oldest first."""
        pages = ConnectionPages()
        page = pages.paginate_queryset(Connection.objects.all(), request, view=self)
        return pages.get_paginated_response(ConnectionSerializer(page, many=True).data)

    @extend_schema(request=ConnectionInput, responses={201: NewConnectionSerializer})
    def post(self, request: Request) -> Response:
        """Make a connection; the answer has its token, and its secret if signed, this once."""
        serializer = ConnectionInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        with _refusals():
            made = connecting.create_connection(
                **_values(serializer.validated_data), now=timezone.now()
            )
        return Response(_show_once(made, request), status=201)


class ConnectionView(APIView):
    """One connection."""

    read_scope = write_scope = "config"

    @extend_schema(responses=ConnectionSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """Show a connection."""
        return Response(ConnectionSerializer(get_object_or_404(Connection, pk=pk)).data)

    @extend_schema(request=ConnectionChanges, responses=ConnectionSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change a connection. Disabled, it still takes in; what comes waits before a person."""
        connection = get_object_or_404(Connection, pk=pk)
        serializer = ConnectionChanges(data=request.data)
        serializer.is_valid(raise_exception=True)
        with _refusals():
            connection = connecting.update_connection(
                connection, **_values(serializer.validated_data), now=timezone.now()
            )
        return Response(ConnectionSerializer(connection).data)

    put = patch

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Remove a connection with the bodies it brought; its senders are told 404 from now on."""
        connection = get_object_or_404(Connection, pk=pk)
        with _refusals():
            connecting.delete_connection(connection)
        return Response(status=204)


class RotateTokenView(APIView):
    """Changing the token."""

    read_scope = write_scope = "config"

    @extend_schema(request=None, responses=NewConnectionSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Make a new token, shown this once; the old one works for 24 hours. Twice ends it now."""
        connection = get_object_or_404(Connection, pk=pk)
        with _refusals():
            made = connecting.rotate_token(connection, now=timezone.now())
        return Response(_show_once(made, request))


class RotateConnectionSecretView(APIView):
    """Changing the secret."""

    read_scope = write_scope = "config"

    @extend_schema(request=SecretInput, responses=NewConnectionSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Make a secret, shown this once, or take the sender's; the old one fits for 24 hours."""
        connection = get_object_or_404(Connection, pk=pk)
        serializer = SecretInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        with _refusals():
            made = connecting.rotate_secret(
                connection, **serializer.validated_data, now=timezone.now()
            )
        return Response(_show_once(made, request))
