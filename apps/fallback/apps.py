from django.apps import AppConfig


class FallbackConfig(AppConfig):
    name = "apps.fallback"
    verbose_name = "Fallback queue"
