from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "apps.sync"
    verbose_name = "Sync"

    def ready(self) -> None:
        from apps.sync import handlers

        assert handlers  # importing it registers them
