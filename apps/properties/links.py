"""What the event log shows of properties and units, and the way back to it."""

from collections.abc import Iterator

from django.db.models import Q
from django.urls import reverse

from apps.properties.models import Property, Unit
from apps.web.links import About, Link

_MOST = 20
_PROPERTY = ("property_id", "property")
_UNIT = ("unit_id", "unit")


def find_properties_and_units(about: About) -> Iterator[Link]:
    """Find the properties and units that an event names, or is the subject of."""
    named = about.refs(*_PROPERTY)
    for found in Property.objects.filter(ref__in=named)[:_MOST]:
        url = reverse("admin:properties_property_change", args=[found.pk])
        yield Link(label="Property", text=found.name, url=url)
    for unit in Unit.objects.filter(ref__in=_units(about))[:_MOST]:
        url = reverse("admin:properties_unit_change", args=[unit.pk])
        yield Link(label="Unit", text=str(unit), url=url)


def find_zone(about: About) -> str | None:
    """Give the zone of the property that an event is about, or the one that all properties share."""
    named = Property.objects.filter(
        Q(ref__in=about.refs(*_PROPERTY)) | Q(units__ref__in=_units(about))
    )
    for places in (named, Property.objects.all()):
        zones = set(places.order_by().values_list("timezone", flat=True).distinct()[:2])
        if zones:
            return zones.pop() if len(zones) == 1 else None
    return None


def _units(about: About) -> set[str]:
    return about.refs(*_UNIT) | ({about.subject} if about.subject else set())
