"""The router: turns accepted events into deliveries. One at a time, in order, metadata only."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import connection, transaction

from apps.dispatch import doorbells
from apps.dispatch.adding import FAR_AHEAD, add, take_places
from apps.dispatch.arrivals import take_arrivals, take_others
from apps.dispatch.locks import Lock
from apps.dispatch.routes import get_routes, get_weights
from apps.dispatch.work import ArrivalRow, NewDelivery
from apps.engine.stopping import is_stopping
from pms_events.event_types import catalogue
from pms_events.handlers import handlers
from pms_events.routing import Fact, plan

BATCH = 1000
_FEW = BATCH // 2
_GATHER_SECONDS = (0.005, 0.01, 0.02, 0.04)
_PATIENCE = 5
_PAUSE_SECONDS = 0.002
_REST_FACTOR = 2
_MOST_REST_FACTOR = 4
_REST_SECONDS = 0.5
_LOOK_FACTOR = 4
_VAIN_FACTOR = 20
_LOOK_SECONDS = 0.02
_FAR_SECONDS = 2.0

# lock_timeout: shorter than deadlock_timeout, so in a tie with a settle it is the router that yields.
# synchronous_commit: what a crash of PostgreSQL loses is routed again (docs/decisions/0012).
_BECOME_THE_ROUTER = """SELECT pg_try_advisory_xact_lock(%s),
set_config('lock_timeout', '500ms', true), set_config('synchronous_commit', 'off', true)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Routed:
    """How many arrivals were routed, and by tenant how many of its deliveries each has before it."""

    count: int
    ahead: Mapping[int, float]

    @property
    def least_ahead(self) -> float:
        return min(self.ahead.values(), default=0.0)


class _Flood:
    """The tenants that are far ahead of the workers, and when to look for others behind them.

    Who was far ahead a while ago may have nothing waiting by now, so it counts as another then.
    """

    def __init__(self) -> None:
        self._far: dict[int, float] = {}
        self._look_at = 0.0

    def note(self, routed: _Routed) -> None:
        now = time.monotonic()
        for tenant, ahead in routed.ahead.items():
            if ahead >= FAR_AHEAD:
                self._far[tenant] = now
            else:
                self._far.pop(tenant, None)

    def rest(self, seconds: float) -> None:
        """Let the workers work; route only what other tenants have behind the flood.

        Looking in vain takes a twentieth of the time at most, however short the rests.
        """
        end = time.monotonic() + min(seconds, _REST_SECONDS)
        while (now := time.monotonic()) < end and not is_stopping():
            if now >= self._look_at:
                self._look()
            else:
                time.sleep(min(self._look_at, end) - now)

    def _look(self) -> None:
        started = time.monotonic()
        past = [tenant for tenant, at in self._far.items() if started - at < _FAR_SECONDS]
        routed = _route(_FEW, past=past)
        factor = _VAIN_FACTOR
        if routed is not None and routed.count:
            self.note(routed)
            factor = _LOOK_FACTOR
        ended = time.monotonic()
        self._look_at = ended + max(_LOOK_SECONDS, factor * (ended - started))


def route_all() -> None:
    """Route all that has arrived.

    Where a flood's every event will wait for workers anyway, it rests two to four times as long as it
    worked, the longer the further it is ahead: it must not take from them what they need. Whoever has
    nothing waiting ends the rests for everybody, and is looked for behind the flood meanwhile.
    """
    misses = few = 0
    flood = _Flood()
    while misses < _PATIENCE and not is_stopping():
        started = time.monotonic()
        routed = _route(BATCH)
        if routed is None:
            # Another router is about to end; what came after its last look is ours.
            misses += 1
            time.sleep(_PAUSE_SECONDS)
            continue
        flood.note(routed)
        if routed.count == 0:
            return
        if routed.count == BATCH and routed.least_ahead >= FAR_AHEAD:
            factor = min(_MOST_REST_FACTOR, _REST_FACTOR * routed.least_ahead / FAR_AHEAD)
            flood.rest(factor * (time.monotonic() - started))
        elif routed.count < _FEW:
            # A steady trickle: to look at each event alone would cost the workers' time.
            with doorbells.about_to_look(doorbells.ROUTE):
                time.sleep(_GATHER_SECONDS[min(few, len(_GATHER_SECONDS) - 1)])
            few += 1


def route(*, limit: int = BATCH) -> int | None:
    """Route up to `limit` arrivals in one transaction; gives how many it took.

    None when another router is at work. Heads of streams are waited for at most as long as a
    settle takes; a longer wait gives up (lock_timeout) and the batch is routed by the next doorbell.
    """
    routed = _route(limit)
    return None if routed is None else routed.count


def _route(limit: int, *, past: Collection[int] = ()) -> _Routed | None:
    """Route up to `limit` arrivals, of other tenants than those in `past` alone."""
    with transaction.atomic():
        if not _is_the_router():
            return None
        arrivals = take_others(past, limit=limit) if past else take_arrivals(limit=limit)
        added = add(decide(arrivals), weights=get_weights())
        take_places(arrivals)
        doorbells.ring_on_commit(added.categories)
    return _Routed(count=len(arrivals), ahead=added.ahead)


def decide(arrivals: list[ArrivalRow]) -> list[NewDelivery]:
    """Decide the deliveries of a batch of arrivals, in their order."""
    routes = get_routes({arrival.tenant_id for arrival in arrivals})
    deliveries = []
    for arrival in arrivals:
        subscriptions, rules = routes[arrival.tenant_id]
        fact = Fact(
            type=arrival.type,
            handlers=arrival.handlers,
            target=arrival.target or None,
            include_external=arrival.include_external,
        )
        for planned in plan(
            fact, types=catalogue, registry=handlers, subscriptions=subscriptions, rules=rules
        ):
            deliveries.append(
                NewDelivery(
                    arrival=arrival,
                    handler=planned.handler,
                    target=planned.target,
                    stream=arrival.stream if planned.is_ordered else None,
                    category=planned.category.value,
                    priority=int(planned.priority),
                )
            )
    return deliveries


def _is_the_router() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_BECOME_THE_ROUTER, [int(Lock.WRITER)])
        return bool(cursor.fetchone()[0])
