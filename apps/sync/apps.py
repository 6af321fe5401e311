from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "apps.sync"
    verbose_name = "Sync"

    def ready(self) -> None:
        from apps.sync import handlers
        from apps.sync.links import find_exchanges
        from apps.web import links

        assert handlers  # importing it registers them
        links.register(exhibits=find_exchanges)
