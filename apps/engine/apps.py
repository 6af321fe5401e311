from django.apps import AppConfig


class EngineConfig(AppConfig):
    name = "apps.engine"

    def ready(self) -> None:
        from apps.dispatch import doorbells
        from apps.engine import checks
        from apps.engine.ringing import send_doorbell

        assert checks  # importing it registers the start-up checks
        doorbells.bind(send_doorbell)
