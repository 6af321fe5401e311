"""Addresses of bookings, below `/api/v1/`."""

from django.urls import path

from apps.bookings import api

urlpatterns = [
    path("bookings", api.BookingsView.as_view(), name="bookings"),
    path("bookings/<path:ref>", api.BookingView.as_view(), name="booking"),
]
