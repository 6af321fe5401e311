"""Addresses of events, the catalogue and replays, below `/api/v1/`."""

from django.urls import path

from apps.events import api, api_replays
from apps.events.replay_control import VERBS

urlpatterns = [
    path("events", api.EventsView.as_view(), name="events"),
    path("events/<uuid:uid>", api.EventView.as_view(), name="event"),
    path("event-types", api.EventTypesView.as_view(), name="event-types"),
    path("event-types/<str:name>", api.EventTypeView.as_view(), name="event-type"),
    path("replays", api_replays.ReplaysView.as_view(), name="replays"),
    path("replays/<int:pk>", api_replays.ReplayView.as_view(), name="replay"),
    *(
        path(
            f"replays/<int:pk>/{verb}",
            api_replays.ControlReplayView.as_view(verb=verb),
            name=f"replay-{verb}",
        )
        for verb in VERBS
    ),
]
