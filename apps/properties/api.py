"""`/api/v1/properties` and `/units`."""

from typing import Any

from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from apps.properties.models import Property, Unit
from apps.properties.serializers import (
    PropertyChange,
    PropertyInput,
    PropertySerializer,
    UnitChange,
    UnitInput,
    UnitQuery,
    UnitSerializer,
)
from apps.web.openapi import PAGE_PARAMETERS, page_of
from apps.web.pagination import CursorPages
from apps.web.problems import Problem
from pms_events.errors import FieldError


class ByRef(CursorPages):
    ordering = "ref"


def _create(model: Any, **fields: Any) -> Any:
    try:
        with transaction.atomic():
            return model.objects.create(**fields)
    except IntegrityError as error:
        detail = f"'{fields['ref']}' exists already"
        raise Problem(409, detail, errors=[FieldError(pointer="#/id", detail=detail)]) from error


def _change(row: Any, reading: type[Serializer], request: Request) -> Any:
    """Write the fields that the body names. Raises: ValidationError; nothing is changed then."""
    serializer = reading(data=request.data)
    serializer.is_valid(raise_exception=True)
    for name, value in serializer.validated_data.items():
        setattr(row, name, value)
    if serializer.validated_data:
        row.save(update_fields=list(serializer.validated_data))
    return row


class PropertiesView(APIView):
    """The properties of the key's tenant."""

    @extend_schema(
        operation_id="properties_list",
        parameters=PAGE_PARAMETERS,
        responses=page_of(PropertySerializer),
    )
    def get(self, request: Request) -> Response:
        """List properties by id."""
        pages = ByRef()
        page = pages.paginate_queryset(Property.objects.all(), request, view=self)
        return pages.get_paginated_response(PropertySerializer(page, many=True).data)

    @extend_schema(request=PropertyInput, responses={201: PropertySerializer})
    def post(self, request: Request) -> Response:
        """Make a property."""
        serializer = PropertyInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = serializer.validated_data
        made = _create(Property, ref=fields.pop("id"), **fields)
        return Response(PropertySerializer(made).data, status=201)


class PropertyView(APIView):
    """One property."""

    @extend_schema(responses=PropertySerializer)
    def get(self, request: Request, ref: str) -> Response:
        """Show a property."""
        return Response(PropertySerializer(get_object_or_404(Property, ref=ref)).data)

    @extend_schema(request=PropertyChange, responses=PropertySerializer)
    def patch(self, request: Request, ref: str) -> Response:
        """Change a property; cleans that are planned already keep their windows."""
        changed = _change(get_object_or_404(Property, ref=ref), PropertyChange, request)
        return Response(PropertySerializer(changed).data)


class UnitsView(APIView):
    """The units of the key's tenant."""

    @extend_schema(
        operation_id="units_list",
        parameters=[UnitQuery, *PAGE_PARAMETERS],
        responses=page_of(UnitSerializer),
    )
    def get(self, request: Request) -> Response:
        """List units by id; `?property=` restricts to one property."""
        query = UnitQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        units = Unit.objects.select_related("property")
        if query.validated_data.get("property"):
            units = units.filter(property__ref=query.validated_data["property"])
        pages = ByRef()
        page = pages.paginate_queryset(units, request, view=self)
        return pages.get_paginated_response(UnitSerializer(page, many=True).data)

    @extend_schema(request=UnitInput, responses={201: UnitSerializer})
    def post(self, request: Request) -> Response:
        """Make a unit of a property."""
        serializer = UnitInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = serializer.validated_data
        owner = Property.objects.filter(ref=fields.pop("property_id")).first()
        if owner is None:
            detail = "there is no such property"
            raise Problem(422, detail, errors=[FieldError(pointer="#/property_id", detail=detail)])
        made = _create(Unit, ref=fields.pop("id"), property=owner, **fields)
        return Response(UnitSerializer(made).data, status=201)


class UnitView(APIView):
    """One unit."""

    @extend_schema(responses=UnitSerializer)
    def get(self, request: Request, ref: str) -> Response:
        """Show a unit."""
        units = Unit.objects.select_related("property")
        return Response(UnitSerializer(get_object_or_404(units, ref=ref)).data)

    @extend_schema(request=UnitChange, responses=UnitSerializer)
    def patch(self, request: Request, ref: str) -> Response:
        """Change a unit."""
        units = Unit.objects.select_related("property")
        changed = _change(get_object_or_404(units, ref=ref), UnitChange, request)
        return Response(UnitSerializer(changed).data)
