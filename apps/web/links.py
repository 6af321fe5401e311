"""What other apps know about an event: they register it here, the event's page shows it.

The event log may import none of them, and they may not import the log. Each registers at start-up
(`AppConfig.ready`) what it can tell; addresses of the log are given by name (`admin:events_…`).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """An event, as far as others need it to find what belongs to it."""

    uid: UUID
    type: str
    subject: str
    source: str
    data: Mapping[str, Any]

    def refs(self, *names: str) -> set[str]:
        """Collect the texts that stand under these names anywhere in the data."""
        return texts_under(self.data, *names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A thing the event is about: `label` says what it is, `text` which one."""

    label: str
    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """What happened on the way of a delivery, told by the app that keeps it.

    `facts` are pairs shown at once, `folded` pairs of a title and a text that opens on demand.
    """

    delivery_id: int | None
    title: str
    url: str
    at: datetime
    is_bad: bool = False
    facts: Sequence[tuple[str, str]] = ()
    folded: Sequence[tuple[str, str]] = ()


FindLinks = Callable[[About], Iterable[Link]]
FindExhibits = Callable[[About], Iterable[Exhibit]]
FindZone = Callable[[About], str | None]
Ways = Collection[tuple[str, str]]
"""Handlers with the targets of their deliveries."""
FindTasks = Callable[[Ways], Mapping[tuple[str, str], str]]

_links: list[FindLinks] = []
_exhibits: list[FindExhibits] = []
_zones: list[FindZone] = []
_tasks: list[FindTasks] = []


def register(
    *,
    links: FindLinks | None = None,
    exhibits: FindExhibits | None = None,
    zone: FindZone | None = None,
    tasks: FindTasks | None = None,
) -> None:
    """Let an app tell about events. Each function runs in the event's tenant, a few queries long.

    `zone` gives the name of the time zone that an event belongs to, if it can tell. `tasks` says in
    words what deliveries do ("send e-mail"), where the names of their handlers say it badly.
    """
    if links and links not in _links:
        _links.append(links)
    if exhibits and exhibits not in _exhibits:
        _exhibits.append(exhibits)
    if zone and zone not in _zones:
        _zones.append(zone)
    if tasks and tasks not in _tasks:
        _tasks.append(tasks)


def find_links(about: About) -> list[Link]:
    """Give what the event is about, without repeats."""
    return list(dict.fromkeys(link for find in _links for link in find(about)))


def find_zone(about: About) -> str | None:
    """Give the time zone of the place that the event is about; None when nobody can tell."""
    return next((zone for find in _zones if (zone := find(about))), None)


def find_exhibits(about: About) -> list[Exhibit]:
    """Give what is told about the event's deliveries, oldest first."""
    found = (exhibit for find in _exhibits for exhibit in find(about))
    return sorted(found, key=lambda exhibit: exhibit.at)


def find_tasks(ways: Ways) -> dict[tuple[str, str], str]:
    """Say in words what deliveries do, those alone that an app has words for."""
    return {way: words for find in _tasks for way, words in find(ways).items()} if ways else {}


def texts_under(data: Any, *names: str) -> set[str]:
    """Collect the texts that stand under these names anywhere in some JSON."""
    return set(_texts(data, frozenset(names)))


def _texts(value: Any, names: frozenset[str]) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            if name in names and isinstance(part, str) and part:
                yield part
            yield from _texts(part, names)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part, names)
