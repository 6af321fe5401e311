"""Looking up properties and units by their ids."""

from collections.abc import Iterable

from apps.properties.models import Property, Unit
from pms_events.errors import PermanentError


class UnknownProperty(PermanentError):
    """An event names a property that does not exist here."""

    def __init__(self, ref: str) -> None:
        self.ref = ref
        super().__init__(
            f"there is no property '{ref}': create it and retry, or correct property_id"
        )


class UnknownUnit(PermanentError):
    """An event names a unit that does not exist, or belongs to another property."""

    def __init__(self, ref: str, property_ref: str) -> None:
        self.ref = ref
        super().__init__(
            f"property '{property_ref}' has no unit '{ref}': create it and retry, or correct "
            "unit_id"
        )


def get_property(ref: str) -> Property:
    """Look a property up. Raises: UnknownProperty."""
    found = Property.objects.filter(ref=ref).first()
    if found is None:
        raise UnknownProperty(ref)
    return found


def get_units_of(property_: Property, refs: Iterable[str]) -> dict[str, Unit]:
    """Look units of a property up, by ref. Raises: UnknownUnit for the first that is not there."""
    wanted = sorted(set(refs))
    if not wanted:
        return {}
    found = {unit.ref: unit for unit in Unit.objects.filter(property=property_, ref__in=wanted)}
    for ref in wanted:
        if ref not in found:
            raise UnknownUnit(ref, property_.ref)
    return found


def find_unit_ids(ref: str) -> list[int]:
    """Find the unit with this id, as written or in capitals or small letters, for searches."""
    written = {ref, ref.upper(), ref.lower()}
    return list(Unit.objects.filter(ref__in=written).values_list("pk", flat=True))
