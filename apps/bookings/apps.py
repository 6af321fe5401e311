from django.apps import AppConfig


class BookingsConfig(AppConfig):
    name = "apps.bookings"
    verbose_name = "Bookings"

    def ready(self) -> None:
        from apps.bookings import handlers
        from apps.bookings.links import find_bookings
        from apps.web import links

        assert handlers  # importing it registers them
        links.register(links=find_bookings)
