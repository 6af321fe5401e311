"""Addresses of reports, below `/api/v1/`."""

from django.urls import path

from apps.reporting import api

urlpatterns = [path("reports/occupancy", api.OccupancyView.as_view(), name="occupancy")]
