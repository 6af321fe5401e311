"""Bookings in the tenant's admin: to look at; events change them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from apps.bookings.models import Booking, BookingRevision, BookingStatus, Stay
from apps.bookings.money import show_amount
from apps.web.admin import ReadOnly, TenantAdmin, TimesTold, link_to_event, link_to_log
from apps.web.lists import ValueFilter, starts_with

_COLOURS = {
    BookingStatus.CONFIRMED: "success", BookingStatus.CANCELLED: "danger",
    BookingStatus.NO_SHOW: "warning", BookingStatus.TENTATIVE: "info",
    BookingStatus.INQUIRY: "info", BookingStatus.REQUEST: "info",
}  # fmt: skip


class StayInline(ReadOnly, TabularInline):
    model = Stay
    hide_title = True
    fields = ["stay_ref", "unit", "arrival", "departure", "is_scheduled"]
    extra = 0


class RevisionInline(TimesTold, ReadOnly, TabularInline):
    model = BookingRevision
    hide_title = True
    verbose_name_plural = "Revisions"
    fields = ["event", "number", "revised_at", "is_stale", "recorded_at"]
    readonly_fields = ["event"]
    extra = 0

    @display(description="Event")
    def event(self, revision: BookingRevision) -> str:
        return link_to_event(revision.kind, revision.event_uid)


class ChannelFilter(ValueFilter):
    """Where it was sold."""

    title = "channel"
    field = "channel"


@admin.register(Booking)
class BookingAdmin(ReadOnly, TenantAdmin):
    """Bookings, the newest first."""

    list_display = ["booking_ref", "property", "standing", "channel", "source", "booked_at"]
    list_filter = ["status", ChannelFilter, "property"]
    list_select_related = ["property"]
    search_fields = ["booking_ref"]  # makes the box appear; `get_search_results` searches
    search_help_text = "how a booking's or a guest's reference begins"
    ordering = ["-id"]
    inlines = [StayInline, RevisionInline]
    fields = [
        "booking_ref", "source", "property", "status", "channel", "guest_ref", "booked_at",
        "cancelled_at", "total", "events",
    ]  # fmt: skip
    readonly_fields = ["total", "events"]
    nothing_title = "No bookings yet"
    nothing_why = (
        "Bookings appear here when events tell of them: send booking.created to the API, for a "
        "property and unit that exist."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Booking], search_term: str
    ) -> tuple[QuerySet[Booking], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(starts_with(search_term.strip(), "booking_ref", "guest_ref")), False

    @display(description="Status", label=_COLOURS)
    def standing(self, booking: Booking) -> tuple[Any, str]:
        return booking.status, booking.status.replace("_", " ")

    @display(description="Total", empty_value="not told")
    def total(self, booking: Booking) -> str | None:
        if booking.total_minor is None:
            return None
        return show_amount(booking.total_minor, currency=booking.currency)

    @display(description="Event log")
    def events(self, booking: Booking) -> str:
        return link_to_log("Events about this booking", subject=booking.booking_ref)
