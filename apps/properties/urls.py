"""Addresses of properties and units, below `/api/v1/`."""

from django.urls import path

from apps.properties import api

urlpatterns = [
    path("properties", api.PropertiesView.as_view(), name="properties"),
    path("properties/<str:ref>", api.PropertyView.as_view(), name="property"),
    path("units", api.UnitsView.as_view(), name="units"),
    path("units/<str:ref>", api.UnitView.as_view(), name="unit"),
]
