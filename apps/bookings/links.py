"""What the event log shows of bookings."""

from collections.abc import Iterator

from django.urls import reverse

from apps.bookings.models import Booking
from apps.web.links import About, Link

_MOST = 20


def find_bookings(about: About) -> Iterator[Link]:
    """Find the bookings that an event revised, or names by source and reference."""
    revised = Booking.objects.filter(revisions__event_uid=about.uid)
    refs = about.refs("booking_ref")
    sources = about.refs("source", "booking_source") | {about.source}
    named = Booking.objects.filter(source__in=sources, booking_ref__in=refs)
    for booking in [*revised, *(named[:_MOST] if refs else ())]:
        url = reverse("admin:bookings_booking_change", args=[booking.pk])
        yield Link(label="Booking", text=str(booking), url=url)
