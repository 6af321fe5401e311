"""Writing verdicts: the one place where a delivery's state changes after an attempt."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from apps.dispatch import doorbells, operations
from apps.events.models import DeliveryState
from apps.events.operations import Ran, finish, hold, record_attempts
from apps.fallback.burying import bury, resolve
from apps.fallback.models import DeadLetterState
from pms_events.handlers import OnDead, handlers
from pms_events.verdicts import Kind

_END_STATE = {
    Kind.DONE: DeliveryState.DONE,
    Kind.DISCARD: DeliveryState.DISCARDED,
    Kind.DEAD: DeliveryState.DEAD,
}


@dataclass(slots=True, kw_only=True)
class Tally:
    """How many deliveries came to which end.

    `lost` had their lease taken by another; `given_back` were not started, and are ready again.
    `tenants`: the same, by tenant id.
    """

    done: int = 0
    retried: int = 0
    dead: int = 0
    discarded: int = 0
    lost: int = 0
    superseded: int = 0
    given_back: int = 0
    tenants: "dict[int, Tally]" = field(default_factory=dict)

    def of(self, tenant_id: int) -> "Tally":
        """Say that all of this is one tenant's; gives itself."""
        self.tenants = {tenant_id: replace(self, tenants={})}
        return self

    def add(self, other: "Tally") -> None:
        self.done += other.done
        self.retried += other.retried
        self.dead += other.dead
        self.discarded += other.discarded
        self.lost += other.lost
        self.superseded += other.superseded
        self.given_back += other.given_back
        for tenant_id, tally in other.tenants.items():
            self.tenants.setdefault(tenant_id, Tally()).add(tally)

    @property
    def moved(self) -> int:
        """How many were decided about."""
        return self.done + self.retried + self.dead + self.discarded + self.superseded


def settle(runs: Sequence[Ran], *, lease: UUID) -> Tally:
    """Write the verdicts of one tenant's deliveries, fenced by the lease.

    In an open transaction, inside the tenant. Removing comes first and promoting last: see
    promote.sql for the race with the router that this order closes.
    """
    ending = [ran for ran in runs if ran.verdict.kind in _END_STATE]
    delaying = [ran for ran in runs if ran.verdict.kind not in _END_STATE]
    holding = [ran for ran in ending if _holds_its_stream(ran)]
    leaving = [ran for ran in ending if not _holds_its_stream(ran)]
    removed = finish([(ran, _END_STATE[ran.verdict.kind]) for ran in leaving], lease=lease)
    removed |= hold(holding, lease=lease)
    delayed = operations.reschedule(
        [
            (ran.delivery.id, ran.verdict.due_at, ran.verdict.kind is Kind.RETRY)
            for ran in delaying
            if ran.verdict.due_at is not None
        ],
        lease=lease,
    )
    ended = [ran for ran in ending if ran.delivery.id in removed]
    put_off = [ran for ran in delaying if ran.delivery.id in delayed]
    dead = [ran for ran in ended if ran.verdict.kind is Kind.DEAD]
    record_attempts([*put_off, *dead])
    bury(dead)
    _close_dead_letters(ended)
    keys = [ran.delivery.key for ran in ended]
    doorbells.ring_on_commit(operations.promote([key for key in keys if key is not None]))
    kinds = [ran.verdict.kind for ran in ended]
    tally = Tally(
        done=kinds.count(Kind.DONE),
        discarded=kinds.count(Kind.DISCARD),
        dead=len(dead),
        retried=len(put_off),
        lost=len(runs) - len(ended) - len(put_off),
    )
    return tally.of(runs[0].delivery.tenant_id) if runs else tally


def _holds_its_stream(ran: Ran) -> bool:
    """Tell whether a dead delivery keeps the next of its stream waiting until a person decides."""
    if ran.verdict.kind is not Kind.DEAD or ran.delivery.stream is None:
        return False
    handler = handlers.find(ran.delivery.handler)
    return handler is not None and handler.on_dead is OnDead.HOLD


def _close_dead_letters(ended: Sequence[Ran]) -> None:
    """A redriven delivery that ended well takes its dead letter with it."""
    for kind, state in (
        (Kind.DONE, DeadLetterState.RESOLVED),
        (Kind.DISCARD, DeadLetterState.DISCARDED),
    ):
        ids = [
            ran.delivery.id
            for ran in ended
            if ran.delivery.is_redriven and ran.verdict.kind is kind
        ]
        if ids:
            resolve(ids, state=state)
