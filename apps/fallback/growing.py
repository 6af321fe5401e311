"""`fallback.grown`: an alert when the queue passes a level, once, and not again until it was worked off.

`delivery.died` tells of each new cause; this tells that one that is known has become a flood.
"""

from datetime import datetime

from apps.fallback.filters import DeadLetterFilter
from apps.fallback.groups import get_groups
from apps.fallback.models import DeadLetter, DeadLetterState, QueueLevel
from pms_events.catalogue.operations import FallbackGrown
from pms_events.publishing import publish
from pms_events.rounds import each_round

LEVELS = (10, 100, 1_000, 10_000)


def judge_level(level: int, *, count: int) -> int:
    """Decide the level of a queue with so many open dead letters; `level` is the one it had, or 0.

    It rises as soon as the next is reached and falls when half of its level was worked off, so that
    a queue that goes up and down around a level tells it once.
    """
    reached = max((at for at in LEVELS if count >= at), default=0)
    kept = max((at for at in LEVELS if at <= level and 2 * count >= at), default=0)
    return max(reached, kept)


@each_round
def tell_growth(now: datetime) -> None:
    """Tell when the current tenant's queue has risen to a higher level than it had."""
    found = DeadLetter.objects.filter(state=DeadLetterState.OPEN)
    count = found[: LEVELS[-1]].count()  # as far as deadletter_open has to be read
    row, _ = QueueLevel.objects.select_for_update().get_or_create(
        pk=QueueLevel.ONLY, defaults={"changed_at": now}
    )
    level = judge_level(row.level, count=count)
    if level == row.level:
        return
    is_higher = level > row.level
    row.level, row.changed_at = level, now
    row.save()
    if is_higher:
        publish(_describe(level, count=count, now=now), subject="fallback queue")


def _describe(level: int, *, count: int, now: datetime) -> FallbackGrown:
    (most, *_) = get_groups(DeadLetterFilter(), limit=1, now=now).found
    return FallbackGrown(
        level=level,
        open=count,
        is_capped=count == LEVELS[-1],
        fingerprint=most.fingerprint,
        handler=most.newest.handler,
        reason=most.newest.reason,
        share=min(most.count, count),
        since=most.first_died_at,
    )
