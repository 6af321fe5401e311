"""Claiming: a fair batch of ready deliveries under one lease, less what a pause or limit forbids."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from apps.dispatch import clocks
from apps.dispatch.caps import get_caps, has_limits, names_in
from apps.dispatch.locks import Lock, wait_for
from apps.dispatch.marks import Pace
from apps.dispatch.models import Lane, State
from apps.dispatch.statements import fetch
from apps.dispatch.work import Claimed

_ROUNDS = 20
"""How often one claim goes on when all that it found was paused. Each round takes that out of the way."""

_paces: dict[clocks.Place, Pace] = defaultdict(Pace)


def claim(
    category: str, *, lane: Lane, limit: int, lease_for: timedelta
) -> tuple[UUID, list[Claimed]]:
    """Lease up to `limit` ready deliveries, in the fair order; commits. Gives the lease token.

    Call it outside of a transaction.
    """
    lease = uuid4()
    wanted = {
        "category": category, "lane": int(lane), "lease": lease, "lease_for": lease_for,
        "handlers": ["", *names_in(category)],
    }  # fmt: skip
    claimed = _claim("claim", wanted, limit=limit, guard=nullcontext)
    if not claimed and has_limits(get_caps(), category=category):
        claimed = _claim("claim_limited", wanted, limit=limit, guard=_one_by_one)
    return lease, sorted(claimed, key=lambda c: (c.tenant_id, c.id))


def _claim(
    name: str,
    wanted: Mapping[str, Any],
    *,
    limit: int,
    guard: Callable[[], AbstractContextManager[None]],
) -> list[Claimed]:
    """Claim, and go on while what was found was paused instead."""
    claimed: list[Claimed] = []
    for _ in range(_ROUNDS):
        with guard():
            found = _scan(name, wanted, limit=limit - len(claimed))
        leased = [Claimed(*row[:-1]) for row in found if row[-1] == State.RUNNING]
        claimed += leased
        if len(leased) == len(found) or len(claimed) >= limit:
            break
    return claimed


@contextmanager
def _one_by_one() -> Iterator[None]:
    """Two claims at once could each fill the last place under a limit."""
    with transaction.atomic():
        wait_for(Lock.CLAIM_WITHIN_LIMITS)
        yield


def _scan(name: str, wanted: Mapping[str, Any], *, limit: int) -> list[tuple[Any, ...]]:
    """Run a claim from where the last ones found something, or from what stands below that."""
    place = (wanted["category"], wanted["lane"])
    pace = _paces[place]
    has_looked = pace.is_due
    below = _look_below(place) if has_looked else None
    since = clocks.bound(place) if below is None else below
    rows = fetch(name, {**wanted, "limit": limit, "since": since})
    if len(rows) < limit and pace.is_cheap and not has_looked:
        below = _look_below(place)
        if below is not None:
            rows += fetch(name, {**wanted, "limit": limit - len(rows), "since": below})
    if rows:
        clocks.remember(place, min(row[17] for row in rows))
    return rows


def _look_below(place: clocks.Place) -> float | None:
    """Look from the bottom for what is ready below the bound; gives its turn."""
    until = clocks.bound(place)
    if until == clocks.BOTTOM:
        return None
    category, lane = place
    with _paces[place].looking_from_the_bottom():
        rows = fetch("below", {"category": category, "lane": lane, "until": until})
    return float(rows[0][0]) if rows else None
