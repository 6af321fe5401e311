from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "apps.sync"
    verbose_name = "Sync"

    def ready(self) -> None:
        from apps.sync import connection_handlers, handlers, rounds
        from apps.sync.connectors.registry import load_connectors
        from apps.sync.links import find_exchanges, find_receptions, name_tasks
        from apps.web import links

        assert handlers  # importing them registers what is in them
        assert connection_handlers
        assert rounds
        load_connectors()
        links.register(exhibits=find_exchanges, links=find_receptions, tasks=name_tasks)
