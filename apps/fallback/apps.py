from django.apps import AppConfig


class FallbackConfig(AppConfig):
    name = "apps.fallback"
    verbose_name = "Fallback queue"

    def ready(self) -> None:
        from apps.fallback.links import find_dead_letters
        from apps.web import links

        links.register(exhibits=find_dead_letters)
