"""Reading a filter of the log from a page's address or form, and saying it in words."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from django.utils.http import urlencode

from apps.events.filters import EventFilter
from apps.events.serializers import EventFilterSerializer
from apps.web.problems import flatten
from pms_events.patterns import is_pattern

NAMES = tuple(field.name for field in fields(EventFilter))
_WORDS = {
    "uid": "with the uid {}", "type": "of type {}", "subject": "about {}", "source": "from {}",
    "category": "in {}", "state": "that are {}", "since": "recorded from {}",
    "until": "recorded before {}", "text": "with “{}” in the payload",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asked for: `values` as typed, `chosen` when they make sense, else `errors`."""

    values: dict[str, str]
    chosen: EventFilter | None
    errors: dict[str, str]

    @property
    def query(self) -> str:
        """The filter as part of an address."""
        return urlencode(self.values)


def read_asked(given: Mapping[str, str]) -> Asked:
    """Read a filter; fields that are not named or empty do not restrict."""
    values = {name: text for name in NAMES if (text := given.get(name, "").strip())}
    serializer = EventFilterSerializer(data=values)
    errors: dict[str, str] = {}
    if not serializer.is_valid():
        errors = {e.pointer.removeprefix("#/"): e.detail for e in flatten(serializer.errors)}
    if "type" in values and not is_pattern(values["type"]):
        errors["type"] = "Write an event type, or a pattern such as booking.*"
    chosen = None if errors else EventFilter(**serializer.validated_data)
    return Asked(values=values, chosen=chosen, errors=errors)


def say_filter(kept: Mapping[str, str]) -> str:
    """Say a filter, as kept with a replay, in words."""
    parts = [
        _WORDS[name].format(kept[name].replace("_", " ") if name == "state" else kept[name])
        for name in NAMES
        if name in kept
    ]
    return f"Events {', '.join(parts)}" if parts else "Every event in the log"
