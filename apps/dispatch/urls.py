"""Addresses of pauses."""

from django.urls import path

from apps.dispatch.api import PausesView, PauseView

urlpatterns = [
    path("pauses", PausesView.as_view(), name="pauses"),
    path("pauses/<int:pk>", PauseView.as_view(), name="pause"),
]
