from django.apps import AppConfig


class FallbackConfig(AppConfig):
    name = "apps.fallback"
    verbose_name = "Fallback queue"

    def ready(self) -> None:
        from apps.fallback import growing
        from apps.fallback.links import find_dead_letters
        from apps.web import links

        assert growing  # importing it registers its check
        links.register(exhibits=find_dead_letters)
