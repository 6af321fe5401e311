from django.apps import AppConfig


class PropertiesConfig(AppConfig):
    name = "apps.properties"

    def ready(self) -> None:
        from apps.properties.links import find_properties_and_units, find_zone
        from apps.web import links

        links.register(links=find_properties_and_units, zone=find_zone)
