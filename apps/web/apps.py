from django.apps import AppConfig, apps

# What others' apps are called here: their own names are for programmers.
_NAMES = {"auth": "People", "django_celery_results": "Operator tasks"}


class WebConfig(AppConfig):
    name = "apps.web"

    def ready(self) -> None:
        from apps.web import openapi

        assert openapi  # defining the scheme registers it
        for label, name in _NAMES.items():
            apps.get_app_config(label).verbose_name = name
