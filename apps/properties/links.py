"""What the event log shows of properties and units, and the way back to it."""

from collections.abc import Iterator

from django.urls import reverse

from apps.properties.models import Property, Unit
from apps.web.links import About, Link

_MOST = 20


def find_properties_and_units(about: About) -> Iterator[Link]:
    """Find the properties and units that an event names, or is the subject of."""
    named = about.refs("property_id", "property")
    for found in Property.objects.filter(ref__in=named)[:_MOST]:
        url = reverse("admin:properties_property_change", args=[found.pk])
        yield Link(label="Property", text=found.name, url=url)
    named = about.refs("unit_id", "unit") | ({about.subject} if about.subject else set())
    for unit in Unit.objects.filter(ref__in=named)[:_MOST]:
        url = reverse("admin:properties_unit_change", args=[unit.pk])
        yield Link(label="Unit", text=str(unit), url=url)
