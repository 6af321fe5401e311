"""`/api/v1/endpoints`: outbound subscriptions."""

from collections.abc import Callable
from datetime import UTC
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.sync import operations
from apps.sync.addresses import BlockedAddress
from apps.sync.handlers import send
from apps.sync.models import Endpoint
from apps.sync.operations import BadEndpoint
from apps.sync.serializers import (
    EndpointChanges,
    EndpointInput,
    EndpointSerializer,
    ExchangeSerializer,
)
from apps.tenants.entering import current_schema
from apps.web.pagination import CursorPages
from apps.web.problems import Problem
from pms_events.context import Context, Event
from pms_events.errors import FieldError
from pms_events.identifiers import new_uid


def _checked(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except BadEndpoint as error:
        where = [FieldError(pointer=f"#/{error.field}", detail=str(error))]
        raise Problem(422, "The endpoint is not valid.", errors=where) from error


class EndpointPages(CursorPages):
    ordering = ("created_at", "id")


class EndpointsView(APIView):
    """The endpoints of the key's tenant."""

    read_scope = write_scope = "config"

    @extend_schema(responses=EndpointSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List endpoints, oldest first."""
        pages = EndpointPages()
        page = pages.paginate_queryset(Endpoint.objects.all(), request, view=self)
        return pages.get_paginated_response(EndpointSerializer(page, many=True).data)

    @extend_schema(request=EndpointInput, responses={201: EndpointSerializer})
    def post(self, request: Request) -> Response:
        """Make an endpoint; the answer has its signing secret, this once."""
        serializer = EndpointInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        endpoint, secret = _checked(lambda: operations.create_endpoint(**serializer.validated_data))
        return Response({**EndpointSerializer(endpoint).data, "secret": secret}, status=201)


class EndpointView(APIView):
    """One endpoint."""

    read_scope = write_scope = "config"

    @extend_schema(responses=EndpointSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """Show an endpoint."""
        return Response(EndpointSerializer(get_object_or_404(Endpoint, pk=pk)).data)

    @extend_schema(request=EndpointChanges, responses=EndpointSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change an endpoint."""
        endpoint = get_object_or_404(Endpoint, pk=pk)
        serializer = EndpointChanges(data=request.data)
        serializer.is_valid(raise_exception=True)
        _checked(lambda: operations.update_endpoint(endpoint, **serializer.validated_data))
        return Response(EndpointSerializer(endpoint).data)

    put = patch

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Remove an endpoint; deliveries on their way to it end as discarded."""
        operations.delete_endpoint(get_object_or_404(Endpoint, pk=pk))
        return Response(status=204)


class TestEndpointView(APIView):
    """Trying an endpoint."""

    read_scope = write_scope = "config"

    @extend_schema(request=None, responses=ExchangeSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Send one signed `custom.endpoint_tested` right now; answers the exchange, no retries."""
        endpoint = get_object_or_404(Endpoint, pk=pk)
        now = timezone.now().astimezone(UTC)
        uid = new_uid()
        event = Event(
            uid=uid, id=str(uid), source="pms", type="custom.endpoint_tested", subject="",
            time=now, time_was_given=True, data={"endpoint": str(pk)}, extensions={},
            recorded_at=now,
        )  # fmt: skip
        context = Context(
            tenant=current_schema(), event=event, delivery_id=0, attempt=1, target=str(pk), now=now
        )
        try:
            send(endpoint, context)
        except BlockedAddress as error:
            raise Problem(422, str(error)) from error
        exchange = endpoint.exchanges.latest("id")
        return Response(ExchangeSerializer(exchange).data)


class RotateSecretView(APIView):
    """Changing the signing secret."""

    read_scope = write_scope = "config"

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: UUID) -> Response:
        """Make a new secret, shown this once; the old one signs too for 24 hours."""
        endpoint = get_object_or_404(Endpoint, pk=pk)
        secret = operations.rotate_secret(endpoint, now=timezone.now())
        endpoint.refresh_from_db()
        return Response({**EndpointSerializer(endpoint).data, "secret": secret})


class EnableEndpointView(APIView):
    """Switching an endpoint on again."""

    read_scope = write_scope = "config"

    @extend_schema(request=None, responses=EndpointSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Enable an endpoint; what died meanwhile is retried from the fallback queue."""
        endpoint = get_object_or_404(Endpoint, pk=pk)
        operations.update_endpoint(endpoint, is_enabled=True)
        return Response(EndpointSerializer(endpoint).data)


class ExchangesView(APIView):
    """What was said to an endpoint."""

    read_scope = write_scope = "config"

    @extend_schema(responses=ExchangeSerializer(many=True))
    def get(self, request: Request, pk: UUID) -> Response:
        """List exchanges, newest first."""
        endpoint = get_object_or_404(Endpoint, pk=pk)
        pages = CursorPages()
        page = pages.paginate_queryset(endpoint.exchanges.all(), request, view=self)
        return pages.get_paginated_response(ExchangeSerializer(page, many=True).data)
