"""`/api/v1/bookings`."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.bookings.models import Booking, BookingRevision, BookingStatus, Stay
from apps.web.pagination import CursorPages


class StaySerializer(serializers.ModelSerializer):
    """Output: one stay of a booking."""

    unit_id = serializers.CharField(source="unit.ref", default=None)

    class Meta:
        model = Stay
        fields = [
            "stay_ref", "unit_id", "unit_type", "arrival", "departure", "adults", "children",
            "is_scheduled", "has_conflict",
        ]  # fmt: skip


class RevisionSerializer(serializers.ModelSerializer):
    """Output: one revision of a booking."""

    class Meta:
        model = BookingRevision
        fields = ["event_uid", "kind", "number", "revised_at", "revision_ref", "is_stale"]


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


class BookingsView(APIView):
    """The bookings of the key's tenant."""

    @extend_schema(parameters=[BookingQuery], responses=BookingSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List bookings, newest first."""
        query = BookingQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        names = {"property": "property__ref"}
        filters = {names.get(name, name): value for name, value in query.validated_data.items()}
        rows = Booking.objects.filter(**filters).select_related("property")
        pages = CursorPages()
        page = pages.paginate_queryset(rows.prefetch_related("stays__unit"), request, view=self)
        return pages.get_paginated_response(BookingSerializer(page, many=True).data)


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
        elif ref.isdigit() and len(ref) < 19:
            booking = get_object_or_404(rows, pk=int(ref))
        else:
            raise Http404("Ask by id, or as source:booking_ref.")
        return Response(BookingDetailSerializer(booking).data)
