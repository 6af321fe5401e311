"""`/api/v1/endpoints`: outbound subscriptions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.sync import operations
from apps.sync.checking import BadEndpoint
from apps.sync.failures import NothingSent
from apps.sync.models import Endpoint
from apps.sync.secrets import UnreadableSecret
from apps.sync.serializers import (
    EndpointChanges,
    EndpointInput,
    EndpointSerializer,
    ExchangeSerializer,
    NewSecretSerializer,
)
from apps.sync.trying import try_endpoint
from apps.web.openapi import PAGE_PARAMETERS, page_of
from apps.web.pagination import CursorPages
from apps.web.problems import Problem
from pms_events.errors import FieldError


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what operations refuse into problems."""
    try:
        yield
    except BadEndpoint as error:
        where = [FieldError(pointer=f"#/{error.field}", detail=str(error))]
        raise Problem(422, "The endpoint is not valid.", errors=where) from error
    except Endpoint.DoesNotExist as error:
        raise Http404("The endpoint was deleted meanwhile.") from error
    except NothingSent as error:
        where = [FieldError(pointer="#/url", detail=str(error))]
        raise Problem(422, "Nothing was sent.", errors=where) from error
    except UnreadableSecret as error:
        raise Problem(409, str(error)) from error


def _with_secret(endpoint: Endpoint, secret: str) -> dict[str, Any]:
    return {**EndpointSerializer(endpoint).data, "secret": secret}


class EndpointPages(CursorPages):
    ordering = ("created_at", "id")


class EndpointsView(APIView):
    """The endpoints of the key's tenant."""

    read_scope = write_scope = "config"

    @extend_schema(
        operation_id="endpoints_list",
        parameters=PAGE_PARAMETERS,
        responses=page_of(EndpointSerializer),
    )
    def get(self, request: Request) -> Response:
        """List endpoints, oldest first."""
        pages = EndpointPages()
        page = pages.paginate_queryset(Endpoint.objects.all(), request, view=self)
        return pages.get_paginated_response(EndpointSerializer(page, many=True).data)

    @extend_schema(request=EndpointInput, responses={201: NewSecretSerializer})
    def post(self, request: Request) -> Response:
        """Make an endpoint; the answer has its signing secret, this once."""
        serializer = EndpointInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        with _refusals():
            endpoint, secret = operations.create_endpoint(**serializer.validated_data)
        return Response(_with_secret(endpoint, secret), status=201)


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
        with _refusals():
            endpoint = operations.update_endpoint(endpoint, **serializer.validated_data)
        return Response(EndpointSerializer(endpoint).data)

    put = patch

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Remove an endpoint; deliveries on their way to it end as discarded."""
        endpoint = get_object_or_404(Endpoint, pk=pk)
        with _refusals():
            operations.delete_endpoint(endpoint)
        return Response(status=204)


class TestEndpointView(APIView):
    """Trying an endpoint."""

    read_scope = write_scope = "config"

    @extend_schema(request=None, responses=ExchangeSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Send one `custom.endpoint_tested` right now; answers the exchange, no retries."""
        endpoint = get_object_or_404(Endpoint, pk=pk)
        with _refusals():
            exchange = try_endpoint(endpoint, now=timezone.now())
        return Response(ExchangeSerializer(exchange).data)


class RotateSecretView(APIView):
    """Changing the signing secret."""

    read_scope = write_scope = "config"

    @extend_schema(request=None, responses=NewSecretSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Make a new secret, shown this once; the old one signs too for 24 hours."""
        endpoint = get_object_or_404(Endpoint, pk=pk)
        with _refusals():
            endpoint, secret = operations.rotate_secret(endpoint, now=timezone.now())
        return Response(_with_secret(endpoint, secret))


class EnableEndpointView(APIView):
    """Switching an endpoint on again."""

    read_scope = write_scope = "config"

    @extend_schema(request=None, responses=EndpointSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Enable an endpoint; what died meanwhile is retried from the fallback queue."""
        endpoint = get_object_or_404(Endpoint, pk=pk)
        with _refusals():
            endpoint = operations.enable_endpoint(endpoint)
        return Response(EndpointSerializer(endpoint).data)


class ExchangesView(APIView):
    """What was said to an endpoint."""

    read_scope = write_scope = "config"

    @extend_schema(parameters=PAGE_PARAMETERS, responses=page_of(ExchangeSerializer))
    def get(self, request: Request, pk: UUID) -> Response:
        """List exchanges, newest first."""
        endpoint = get_object_or_404(Endpoint, pk=pk)
        pages = CursorPages()
        page = pages.paginate_queryset(endpoint.exchanges.all(), request, view=self)
        return pages.get_paginated_response(ExchangeSerializer(page, many=True).data)
