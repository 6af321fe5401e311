from django.apps import AppConfig


class HousekeepingConfig(AppConfig):
    name = "apps.housekeeping"
    verbose_name = "Housekeeping"

    def ready(self) -> None:
        from apps.housekeeping import handlers

        assert handlers  # importing it registers them
