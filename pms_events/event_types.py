"""The registry of event types: which facts exist, their category, priority, schema and stream rule.

An event type is a payload class under `@event_type`; the classes live in `catalogue/<category>.py`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import Any, TypeVar

from pydantic import ValidationError

from pms_events.categories import Category, Priority
from pms_events.errors import FieldError, InvalidEvent, RegistryError
from pms_events.patterns import matches
from pms_events.payloads import Payload

_NAME = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+(\.\*)?$|^[a-z][a-z0-9_]*\.\*$")


@dataclass(frozen=True, kw_only=True)
class EventType:
    """One entry of the catalogue.

    `stream` is a template over `{subject}`, `{id}` and dotted fields of the data, such as
    `booking:{external_ref.booking_ref}`. Events of one stream are handled in order, per handler.
    A name that ends in `.*` is a family: every type below it that has no entry of its own.
    """

    name: str
    category: Category
    priority: Priority
    stream: str
    payload: type[Payload]

    @property
    def is_family(self) -> bool:
        return self.name.endswith(".*")

    @property
    def summary(self) -> str:
        return (self.payload.__doc__ or "").strip().split("\n")[0]

    @cached_property
    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema (draft 2020-12) of the event's `data`."""
        return self.payload.model_json_schema()

    @property
    def example(self) -> dict[str, Any]:
        return self.payload.example

    @cached_property
    def _stream_fields(self) -> list[tuple[str, list[str] | None]]:
        return [
            (literal, name.split(".") if name else None)
            for literal, name, _, _ in Formatter().parse(self.stream)
        ]

    def validate(self, data: Mapping[str, Any]) -> Payload:
        """Check `data` against the schema and give the typed payload.

        Raises: InvalidEvent with a pointer below `#/data` to each bad field.
        """
        try:
            return self.payload.model_validate(data)
        except ValidationError as error:
            raise InvalidEvent(
                [
                    FieldError(
                        pointer="#/data" + "".join(f"/{_escape(part)}" for part in issue["loc"]),
                        detail=issue["msg"],
                    )
                    for issue in error.errors(include_url=False, include_context=False)
                ]
            ) from error

    def stream_of(self, *, subject: str, event_id: str, data: Mapping[str, Any]) -> str:
        """Name the stream of one event: at most 255 characters, cut with the subject at the end."""
        parts = []
        for literal, path in self._stream_fields:
            parts.append(literal)
            if path is None:
                continue
            if path == ["subject"]:
                parts.append(subject or event_id)
            elif path == ["id"]:
                parts.append(event_id)
            else:
                parts.append(str(_dig(data, path)))
        return "".join(parts)[:255]


def _escape(part: int | str) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _dig(data: Any, path: list[str]) -> Any:
    for name in path:
        data = data.get(name, "") if isinstance(data, Mapping) else ""
    return data


class Catalogue:
    """Every event type the program knows, by name."""

    def __init__(self) -> None:
        self._types: dict[str, EventType] = {}
        self._families: list[EventType] = []

    def __iter__(self) -> Iterator[EventType]:
        return iter(sorted(self._types.values(), key=lambda entry: entry.name))

    def add(self, entry: EventType) -> None:
        """Take in an event type. Raises: RegistryError that names the offending class."""
        where = f"{entry.payload.__module__}.{entry.payload.__qualname__}"
        if not _NAME.match(entry.name):
            raise RegistryError(
                f"{where}: '{entry.name}' is no event type: use noun.past_participle"
            )
        known = self._types.get(entry.name)
        if known is not None:
            other = f"{known.payload.__module__}.{known.payload.__qualname__}"
            raise RegistryError(f"{where}: event type '{entry.name}' is already taken by {other}")
        _check_stream(entry, where)
        _check_example(entry, where)
        self._types[entry.name] = entry
        if entry.is_family:
            self._families.append(entry)

    def find(self, name: str) -> EventType | None:
        """Look up the entry of a type: its own, or that of its family."""
        entry = self._types.get(name)
        if entry is not None and not entry.is_family:
            return entry
        return next((family for family in self._families if matches(family.name, name)), None)

    def of(self, payload: type[Payload]) -> EventType:
        """Look up the entry of a payload class. Raises: RegistryError when it has none."""
        for entry in self._types.values():
            if entry.payload is payload:
                return entry
        raise RegistryError(
            f"{payload.__module__}.{payload.__qualname__} is no event type: decorate it"
        )


def _check_stream(entry: EventType, where: str) -> None:
    try:
        fields = [name for _, name, _, _ in Formatter().parse(entry.stream) if name is not None]
    except ValueError as error:
        raise RegistryError(f"{where}: bad stream rule '{entry.stream}': {error}") from error
    if not fields:
        raise RegistryError(
            f"{where}: bad stream rule '{entry.stream}': it names no field, "
            "so all events of this type would wait for each other"
        )
    for name in fields:
        first = name.split(".")[0]
        if first not in {"subject", "id", *entry.payload.model_fields}:
            raise RegistryError(
                f"{where}: bad stream rule '{entry.stream}': the payload has no field '{first}'"
            )


def _check_example(entry: EventType, where: str) -> None:
    try:
        entry.validate(entry.example)
    except InvalidEvent as error:
        raise RegistryError(f"{where}: its example does not fit its schema: {error}") from error


catalogue = Catalogue()


P = TypeVar("P", bound=Payload)


def event_type(
    name: str, *, category: Category, priority: Priority, stream: str = "{subject}"
) -> Callable[[type[P]], type[P]]:
    """Enter a payload class into the catalogue under `name`.

    Raises: RegistryError at import when the name is taken, the stream rule names a field that the
    payload does not have, or the class's `example` does not fit its own schema.
    """

    def enter(payload: type[P]) -> type[P]:
        catalogue.add(
            EventType(
                name=name, category=category, priority=priority, stream=stream, payload=payload
            )
        )
        return payload

    return enter
