"""Checking a correction before it is published: schema, size, and what it changes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.events.models import Event
from apps.fallback.models import DeadLetter
from apps.fallback.payload_diff import diff
from pms_events.envelope import MAX_EVENT
from pms_events.errors import FieldError, InvalidEvent
from pms_events.event_types import EventType, catalogue
from pms_events.handlers import handlers
from pms_events.routing import UNKNOWN_TYPE


class CannotCorrect(ValueError):
    """Nothing that could be entered would help: the event, its type or its handler is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A correction that may be published. `changes` are as in `payload_diff.diff`."""

    original: Event
    entry: EventType
    data: dict[str, Any]
    changes: list[dict[str, Any]]


def get_original(dead_letter: DeadLetter) -> tuple[Event, EventType]:
    """Find what a correction starts from. Raises: CannotCorrect that says what is missing."""
    original = Event.objects.filter(uid=dead_letter.event_uid).first()
    if original is None:
        raise CannotCorrect("The event is not in the log any more: discard the dead letter.")
    entry = catalogue.find(original.type)
    if entry is None:
        raise CannotCorrect(
            f"'{original.type}' is not in the catalogue: correcting cannot help. Add the event "
            "type and retry, or discard."
        )
    if dead_letter.handler != UNKNOWN_TYPE and handlers.find(dead_letter.handler) is None:
        raise CannotCorrect(
            f"No handler is named '{dead_letter.handler}': correcting cannot help. Bring the "
            "handler back and retry, or discard."
        )
    return original, entry


def check_correction(dead_letter: DeadLetter, data: Any) -> Correction:
    """Check corrected data against the schema and compare it with the original. Changes nothing.

    Raises: CannotCorrect; InvalidEvent with a pointer to each bad field, or when nothing differs.
    """
    original, entry = get_original(dead_letter)
    if not isinstance(data, Mapping):
        raise InvalidEvent([FieldError(pointer="#/data", detail="must be a JSON object")])
    size = len(json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode())
    if size > MAX_EVENT:
        detail = f"has {size} bytes: at most {MAX_EVENT} are taken"
        raise InvalidEvent([FieldError(pointer="#/data", detail=detail)])
    entry.validate(data)
    changes = diff(original.data, data)
    if not changes:
        detail = "is the same as in the original event: change it, or retry without data"
        raise InvalidEvent([FieldError(pointer="#/data", detail=detail)])
    return Correction(original=original, entry=entry, data=dict(data), changes=changes)
