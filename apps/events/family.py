"""What led to an event and what it led to, within bounds: an import may have led to a million."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from apps.events.models import Event

MOST = 200
_GENERATIONS = 10
_ANCESTORS = 20


def get_family(event: Event, *, most: int = MOST) -> list[Event]:
    """Give the event, its ancestors, its descendants, then others of the same root; oldest first.

    At most `most` of them, the nearest to the event first; a query a generation.
    """
    ancestors = _ancestors(event)
    family = {e.uid: e for e in [*ancestors, event]}
    _add_descendants(family, [event.uid], most=most)
    _add_descendants(family, [e.uid for e in ancestors], most=most)
    return sorted(family.values(), key=lambda e: (e.recorded_at, e.uid))


def _ancestors(event: Event) -> list[Event]:
    found: list[Event] = []
    seen = {event.uid}
    cause = event.causation
    while cause and cause not in seen and len(found) < _ANCESTORS:
        seen.add(cause)
        parent = _light().filter(uid=cause).first()
        if parent is None:
            break
        found.append(parent)
        cause = parent.causation
    return found


def _add_descendants(family: dict[UUID, Event], roots: Iterable[UUID], *, most: int) -> None:
    parents = list(roots)
    for _ in range(_GENERATIONS):
        room = most - len(family)
        if not parents or room <= 0:
            return
        known = list(family)
        children = _light().filter(causation__in=parents).exclude(uid__in=known)
        generation = list(children[:room])
        family.update({child.uid: child for child in generation})
        parents = [child.uid for child in generation]


def _light() -> QuerySet[Event]:
    """Events without their payloads, which may be large."""
    return Event.objects.defer("data", "extensions")
