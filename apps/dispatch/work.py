"""The values that pass between the hot tables and the engine."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


class ArrivalRow(NamedTuple):
    """An accepted event to be routed. Columns as in take_arrivals.sql."""

    id: int
    tenant_id: int
    event_uid: UUID
    type: str
    stream: str
    accepted_at: datetime
    lane: int
    handlers: list[str] | None
    target: str
    include_external: bool
    replay_id: int | None
    place: int | None


class Claimed(NamedTuple):
    """A delivery under our lease. Columns as in claim.sql. `attempts` counts this one already."""

    id: int
    tenant_id: int
    event_uid: UUID
    handler: str
    target: str
    stream: str | None
    category: str
    priority: int
    lane: int
    attempts: int
    failures: int
    crashes: int
    accepted_at: datetime
    include_external: bool
    replay_id: int | None
    is_redriven: bool
    lease_until: datetime
    turn: float

    @property
    def key(self) -> tuple[int, str, str, str] | None:
        """The stream key: what this delivery is in order with."""
        if self.stream is None:
            return None
        return (self.tenant_id, self.handler, self.target, self.stream)


StreamKey = tuple[int, str, str, str]
"""tenant id, handler, target, stream"""


@dataclass(slots=True, kw_only=True)
class NewDelivery:
    """A delivery that the router has decided on; `state` and `turn` are filled in before storing."""

    arrival: ArrivalRow
    handler: str
    target: str
    stream: str | None
    category: str
    priority: int
    state: str = "ready"
    turn: float = 0.0

    @property
    def key(self) -> StreamKey | None:
        if self.stream is None:
            return None
        return (self.arrival.tenant_id, self.handler, self.target, self.stream)

    def row(self) -> tuple[Any, ...]:
        """The values of add_pending.sql."""
        a = self.arrival
        return (
            a.tenant_id, a.event_uid, self.handler, self.target, self.stream, self.category,
            self.priority, a.lane, self.state, self.turn, a.accepted_at, a.include_external,
            a.replay_id, a.place, 0, 0, 0, False, False,
        )  # fmt: skip


class Redriven(NamedTuple):
    """A delivery that is owed again; the fields are named as redrive.sql takes their columns."""

    ids: int
    tenants: int
    uids: UUID
    handlers: str
    targets: str
    streams: str | None
    categories: str
    priorities: int
    accepted: datetime
    attempts: int
    outside: bool
    replays: int | None
