"""Bookings in the tenant's admin: to look at; events change them."""

from django.contrib import admin
from unfold.admin import TabularInline
from unfold.decorators import display

from apps.bookings.models import Booking, BookingRevision, Stay
from apps.web.admin import ReadOnly, TenantAdmin, link_to_event, link_to_log


class StayInline(ReadOnly, TabularInline):
    model = Stay
    fields = ["stay_ref", "unit", "arrival", "departure", "is_scheduled"]
    extra = 0


class RevisionInline(ReadOnly, TabularInline):
    model = BookingRevision
    fields = ["event", "number", "revised_at", "is_stale", "recorded_at"]
    readonly_fields = ["event"]
    extra = 0

    @display(description="Event")
    def event(self, revision: BookingRevision) -> str:
        return link_to_event(revision.kind, revision.event_uid)


@admin.register(Booking)
class BookingAdmin(ReadOnly, TenantAdmin):
    list_display = ["booking_ref", "source", "property", "status", "channel", "booked_at"]
    list_filter = ["status", "channel", "property"]
    list_select_related = ["property"]
    search_fields = ["booking_ref", "guest_ref"]
    inlines = [StayInline, RevisionInline]
    readonly_fields = ["events"]

    @display(description="Event log")
    def events(self, booking: Booking) -> str:
        return link_to_log("Events about this booking", subject=booking.booking_ref)
