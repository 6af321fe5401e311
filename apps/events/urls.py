"""Addresses of events, the catalogue and replays, below `/api/v1/`."""

from django.urls import path

from apps.events import api

urlpatterns = [
    path("events", api.EventsView.as_view(), name="events"),
    path("events/<uuid:uid>", api.EventView.as_view(), name="event"),
    path("event-types", api.EventTypesView.as_view(), name="event-types"),
    path("event-types/<str:name>", api.EventTypeView.as_view(), name="event-type"),
    path("replays", api.ReplaysView.as_view(), name="replays"),
    path("replays/<int:pk>", api.ReplayView.as_view(), name="replay"),
    path("replays/<int:pk>/cancel", api.CancelReplayView.as_view(), name="replay-cancel"),
]
