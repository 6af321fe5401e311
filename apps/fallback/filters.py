"""Choosing dead letters: one filter for the API, the admin, bulk actions and the command."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet, Subquery

from apps.fallback.models import DeadLetter, DeadLetterState

ALL = "all"
STATES = (*DeadLetterState.values, ALL)
UNASSIGNED = "(nobody)"  # no user name: those have no parentheses


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterFilter:
    """Which dead letters: empty fields do not restrict. `type` may end in `*`; times: death.

    `assignee` is a user name or `UNASSIGNED`; each word of `search` must be in the subject,
    stream, error, event type or handler.
    """

    state: str = DeadLetterState.OPEN.value
    reason: str = ""
    handler: str = ""
    category: str = ""
    type: str = ""
    fingerprint: str = ""
    assignee: str = ""
    event: str = ""
    search: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """The filter as it is kept with a bulk action: set fields only, times as text."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
            if value
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "DeadLetterFilter":
        """Read what `as_json` wrote."""
        times: dict[str, Any] = {
            n: datetime.fromisoformat(kept[n]) for n in ("since", "until") if n in kept
        }
        return cls(**{**kept, **times})

    def apply(self, dead_letters: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        """Restrict a query over the current tenant's dead letters."""
        exact: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("reason", "handler", "category", "fingerprint")
            if getattr(self, name)
        }
        if self.state != ALL:
            exact["state"] = self.state
        if self.event:
            exact["event_uid"] = self.event
        if self.assignee == UNASSIGNED:
            exact["assignee"] = None
        elif self.assignee:
            # By id, not by a join: else the newest of all are read through to find somebody's.
            somebody = get_user_model().objects.filter(username=self.assignee)
            exact["assignee_id"] = Subquery(somebody.values("pk")[:1])
        found = dead_letters.filter(**exact)
        if self.type.endswith("*"):
            found = found.filter(event_type__startswith=self.type[:-1])
        elif self.type:
            found = found.filter(event_type=self.type)
        if self.since:
            found = found.filter(died_at__gte=self.since)
        if self.until:
            found = found.filter(died_at__lt=self.until)
        return search(found, self.search)


def search(dead_letters: QuerySet[DeadLetter], words: str) -> QuerySet[DeadLetter]:
    """Keep those in which every word occurs. Reads through what the filters left."""
    for word in words.split():
        dead_letters = dead_letters.filter(
            Q(subject__icontains=word)
            | Q(stream__icontains=word)
            | Q(message__icontains=word)
            | Q(event_type__icontains=word)
            | Q(handler__icontains=word)
        )
    return dead_letters
