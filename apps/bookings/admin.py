"""Bookings in the tenant's admin: to look at; events change them."""

from django.contrib import admin
from unfold.admin import TabularInline

from apps.bookings.models import Booking, BookingRevision, Stay
from apps.web.admin import ReadOnly, TenantAdmin


class StayInline(ReadOnly, TabularInline):
    model = Stay
    fields = ["stay_ref", "unit", "arrival", "departure", "is_scheduled"]
    extra = 0


class RevisionInline(ReadOnly, TabularInline):
    model = BookingRevision
    fields = ["kind", "number", "revised_at", "is_stale", "recorded_at"]
    extra = 0


@admin.register(Booking)
class BookingAdmin(ReadOnly, TenantAdmin):
    list_display = ["booking_ref", "source", "property", "status", "channel", "booked_at"]
    list_filter = ["status", "channel", "property"]
    list_select_related = ["property"]
    search_fields = ["booking_ref", "guest_ref"]
    inlines = [StayInline, RevisionInline]
