"""Addresses of the calendar, below `/api/v1/`."""

from django.urls import path

from apps.calendars import api

urlpatterns = [
    path("calendar", api.CalendarView.as_view(), name="calendar"),
    path("calendar/availability", api.AvailabilityView.as_view(), name="availability"),
]
