from django.apps import AppConfig


class ReportingConfig(AppConfig):
    name = "apps.reporting"
    verbose_name = "Reporting"

    def ready(self) -> None:
        from apps.reporting import handlers

        assert handlers  # importing it registers them
