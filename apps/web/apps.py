from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "apps.web"

    def ready(self) -> None:
        from apps.web import openapi

        assert openapi  # defining the scheme registers it
