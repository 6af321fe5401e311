"""Choosing dead letters: one filter for the API, bulk actions and the command."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from apps.fallback.models import DeadLetter, DeadLetterState

ALL = "all"
STATES = (*DeadLetterState.values, ALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterFilter:
    """Which dead letters: empty fields do not restrict. `type` may end in `*`; times: death."""

    state: str = DeadLetterState.OPEN.value
    reason: str = ""
    handler: str = ""
    category: str = ""
    type: str = ""
    fingerprint: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def apply(self, dead_letters: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        """Restrict a query over the current tenant's dead letters."""
        exact = {
            name: getattr(self, name)
            for name in ("reason", "handler", "category", "fingerprint")
            if getattr(self, name)
        }
        if self.state != ALL:
            exact["state"] = self.state
        found = dead_letters.filter(**exact)
        if self.type.endswith("*"):
            found = found.filter(event_type__startswith=self.type[:-1])
        elif self.type:
            found = found.filter(event_type=self.type)
        if self.since:
            found = found.filter(died_at__gte=self.since)
        if self.until:
            found = found.filter(died_at__lt=self.until)
        return found
