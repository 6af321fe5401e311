"""Which dead letters a decision about many is for: frozen, so that it takes what a person saw."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.fallback.filters import DeadLetterFilter
from apps.fallback.models import DeadLetter, DeadLetterState

SAMPLE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Open dead letters by filter or by id (one of them), as far as they died up to `cutoff`.

    What dies later is not part of it, and so one that is retried and dies again is not taken twice.
    """

    cutoff: datetime
    filter: DeadLetterFilter | None = None
    ids: list[UUID] | None = None

    def query(self) -> QuerySet[DeadLetter]:
        """Give those that are still open, the oldest first."""
        found = DeadLetter.objects.filter(died_at__lte=self.cutoff)
        if self.ids is not None:
            found = found.filter(pk__in=self.ids, state=DeadLetterState.OPEN)
        if self.filter is not None:
            found = replace(self.filter, state=DeadLetterState.OPEN.value).apply(found)
        return found.order_by("died_at", "pk")

    def after(self, died_at: datetime | None, pk: UUID | None) -> QuerySet[DeadLetter]:
        """Give those of `query` that come after one. The first condition is what an index serves."""
        if died_at is None:
            return self.query()
        return self.query().filter(Q(died_at__gte=died_at), Q(died_at__gt=died_at) | Q(pk__gt=pk))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a selection comes to: how many, and the oldest of them."""

    total: int
    sample: list[DeadLetter]


def choose(selection: Selection) -> Choice:
    """Count what a bulk action would take, and show some. Changes nothing."""
    found = selection.query()
    total = found.order_by().count()
    return Choice(total=total, sample=list(found[:SAMPLE]) if total else [])
