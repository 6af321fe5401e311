from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "apps.events"
    verbose_name = "Events"

    def ready(self) -> None:
        from apps.events.store import EventStore
        from pms_events import catalogue, publishing

        assert catalogue  # importing it fills the registry
        publishing.bind(EventStore())
