"""`/api/v1/bookings`."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.bookings.models import Booking, BookingRevision, BookingStatus, Stay
from apps.calendars.queries import get_conflicting_stays
from apps.web.openapi import PAGE_PARAMETERS, page_of
from apps.web.pagination import CursorPages


class StaySerializer(serializers.ModelSerializer):
    """Output: one stay of a booking."""

    unit_id = serializers.CharField(source="unit.ref", default=None)
    has_conflict = serializers.SerializerMethodField()

    class Meta:
        model = Stay
        fields = [
            "stay_ref", "unit_id", "unit_type", "arrival", "departure", "adults", "children",
            "is_scheduled", "has_conflict",
        ]  # fmt: skip

    def get_has_conflict(self, stay: Stay) -> bool:
        """As the calendar says now: another booking's change may have ended it."""
        key = (stay.booking.source, stay.booking.booking_ref, stay.stay_ref)
        return key in self.context["in_conflict"]


class RevisionSerializer(serializers.ModelSerializer):
    """Output: one revision of a booking."""

    class Meta:
        model = BookingRevision
        fields = ["event_uid", "kind", "number", "revised_at", "revision_ref", "is_stale"]


class TotalSerializer(serializers.Serializer):
    """Output: money in the currency's minor units."""

    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()


class BookingSerializer(serializers.ModelSerializer):
    """Output: a booking with its stays."""

    property_id = serializers.CharField(source="property.ref", default=None)
    total = serializers.SerializerMethodField()
    stays = StaySerializer(many=True)

    class Meta:
        model = Booking
        fields = [
            "id", "source", "booking_ref", "property_id", "status", "channel", "guest_ref",
            "booked_at", "cancelled_at", "total", "stays",
        ]  # fmt: skip

    @extend_schema_field(TotalSerializer(allow_null=True))
    def get_total(self, booking: Booking) -> dict[str, Any] | None:
        if booking.total_minor is None:
            return None
        return {"amount_minor": booking.total_minor, "currency": booking.currency}


class BookingDetailSerializer(BookingSerializer):
    """Output: a booking with its stays and every revision."""

    revisions = RevisionSerializer(many=True)

    class Meta(BookingSerializer.Meta):
        fields = [*BookingSerializer.Meta.fields, "revisions"]


class BookingQuery(serializers.Serializer):
    """Input: which bookings."""

    property = serializers.CharField(required=False)
    status = serializers.ChoiceField(required=False, choices=BookingStatus.choices)
    channel = serializers.CharField(required=False)
    booking_ref = serializers.CharField(required=False)
    arrival_from = serializers.DateField(required=False, help_text="a stay arrives then or later")
    arrival_to = serializers.DateField(required=False, help_text="a stay arrives before")


def get_bookings(query: Mapping[str, Any]) -> QuerySet[Booking]:
    """The bookings that a read query asks for; each once, however many of its stays fit."""
    names = {"property": "property__ref"}
    dates = {"arrival_from": "arrival__gte", "arrival_to": "arrival__lt"}
    rows = Booking.objects.filter(
        **{names.get(name, name): value for name, value in query.items() if name not in dates}
    )
    arrivals = {dates[name]: value for name, value in query.items() if name in dates}
    if arrivals:
        rows = rows.filter(Exists(Stay.objects.filter(booking=OuterRef("pk"), **arrivals)))
    return rows.select_related("property")


def in_conflict(bookings: Iterable[Booking]) -> dict[str, Any]:
    """The context that tells the stays of these bookings whether they are in conflict."""
    return {"in_conflict": get_conflicting_stays(b.booking_ref for b in bookings)}


class BookingsView(APIView):
    """The bookings of the key's tenant."""

    @extend_schema(
        operation_id="bookings_list",
        parameters=[BookingQuery, *PAGE_PARAMETERS],
        responses=page_of(BookingSerializer),
    )
    def get(self, request: Request) -> Response:
        """List bookings, newest first."""
        query = BookingQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        pages = CursorPages()
        page: list[Booking] = (
            pages.paginate_queryset(
                get_bookings(query.validated_data).prefetch_related("stays__unit"),
                request,
                view=self,
            )
            or []
        )
        shown = BookingSerializer(page, many=True, context=in_conflict(page))
        return pages.get_paginated_response(shown.data)


class BookingView(APIView):
    """One booking."""

    @extend_schema(responses=BookingDetailSerializer)
    def get(self, request: Request, ref: str) -> Response:
        """Show a booking by its id, or as `source:booking_ref`."""
        rows = Booking.objects.select_related("property").prefetch_related(
            "stays__unit", "revisions"
        )
        source, colon, booking_ref = ref.partition(":")
        if colon:
            booking = get_object_or_404(rows, source=source, booking_ref=booking_ref)
        elif ref.isascii() and ref.isdigit() and len(ref) < 19:
            booking = get_object_or_404(rows, pk=int(ref))
        else:
            raise Http404("Ask by id, or as source:booking_ref.")
        return Response(BookingDetailSerializer(booking, context=in_conflict([booking])).data)
