"""What the form of a new replay says: which handlers, how fast, why; and what is wrong with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from apps.events.replaying import Preview
from apps.web.numbers import read_whole
from pms_events.routing import UNKNOWN_TYPE

USUAL_RATE = 100
_NOT_IN_CATALOGUE = "their type is not in the catalogue: each comes before a person"


class Wish:
    """What the form of a new replay says; what it does not say yet is as usual."""

    def __init__(self, given: QueryDict) -> None:
        self.is_first = "cutoff" not in given
        self.is_preview = given.get("step") == "preview"
        now = timezone.now()
        self.cutoff: datetime = min(_read_time(given.get("cutoff", "")) or now, now)
        self.token: UUID = _read_uuid(given.get("token", "")) or uuid4()
        self.include_external: bool = given.get("include_external") == "on"
        self.chosen: Sequence[str] = given.getlist("handlers")
        self.reason: str = given.get("reason", "").strip()
        self.rate_text: str = str(USUAL_RATE) if self.is_first else given.get("rate", "").strip()

    @property
    def rate(self) -> int | None:
        return int(self.rate_text) if self.rate_text else None

    def rows(self, preview: Preview) -> list[dict[str, Any]]:
        """The handlers of a preview: how many deliveries, whether chosen, or why they stay silent."""
        runs = [
            {"name": name, "count": preview.by_handler[name],
             "is_chosen": self.is_first or name in self.chosen}
            for name in _choices(preview)
        ]  # fmt: skip
        unknown = [
            {"name": name, "count": count, "label": "fallback queue", "why": _NOT_IN_CATALOGUE}
            for name, count in preview.by_handler.items()
            if name == UNKNOWN_TYPE
        ]
        silent = [
            {"name": name, "count": count, "label": "suppressed", "why": preview.reasons[name]}
            for name, count in sorted(preview.suppressed.items())
        ]
        return runs + unknown + silent

    def handlers_of(self, preview: Preview) -> list[str] | None:
        """The handlers to narrow to; None when all are wanted."""
        choices = _choices(preview)
        wanted = [name for name in choices if name in self.chosen]
        return None if len(wanted) == len(choices) else wanted

    def find_errors(self, preview: Preview) -> list[str]:
        errors = []
        if not preview.total:
            errors.append("No event in the log is like that: there is nothing to replay.")
        elif self.handlers_of(preview) == []:
            errors.append("Choose at least one handler.")
        if not self.reason:
            errors.append("Say why these events are replayed: it is kept with the replay.")
        if self.rate_text and not 1 <= (read_whole(self.rate_text) or 0) <= 100_000:
            errors.append("The rate is a whole number of events a second, from 1 to 100000.")
        return errors


def _choices(preview: Preview) -> list[str]:
    return sorted(name for name in preview.by_handler if name != UNKNOWN_TYPE)


def _read_time(text: str) -> datetime | None:
    try:
        at = parse_datetime(text)
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None


def _read_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
