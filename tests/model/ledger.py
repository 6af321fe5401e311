"""The plain model: what must be owed, ended and before a person, without a database.

It says what the promises say, in the shortest way, and knows nothing of how the engine keeps them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

ATTEMPTS = 2
"""How often a failing handler is tried."""
MAX_CRASHES = 3

Key = tuple[str, str, str]
"""tenant, handler, stream"""


@dataclass(slots=True, kw_only=True)
class Arrived:
    """An accepted event that is not routed."""

    tenant: str
    uid: UUID
    handlers: list[str]
    stream: str
    script: tuple[str, ...]
    lane: int = 0
    place: int | None = None


@dataclass(slots=True, kw_only=True)
class Owed:
    """A delivery that is not finished."""

    id: int
    tenant: str
    uid: UUID
    handler: str
    stream: str | None
    script: tuple[str, ...]
    lane: int
    place: int
    state: str = "ready"
    attempts: int = 0
    failures: int = 0
    crashes: int = 0
    alone: bool = False
    lease: UUID | None = None
    is_redriven: bool = False
    cap: int | None = None

    @property
    def key(self) -> Key | None:
        return None if self.stream is None else (self.tenant, self.handler, self.stream)

    def facts(self) -> tuple[object, ...]:
        """What the hot table must say of it."""
        return (
            self.tenant, self.handler, self.stream, self.lane, self.state, self.attempts,
            self.failures, self.crashes, self.alone, self.lease, self.is_redriven, self.cap,
        )  # fmt: skip


@dataclass(slots=True)
class Ledger:
    """All of it. `history`: how each delivery ended; `letters`: the state of each dead letter."""

    arrived: list[Arrived] = field(default_factory=list)
    owed: dict[int, Owed] = field(default_factory=dict)
    history: dict[int, tuple[str, int, int, int]] = field(default_factory=dict)
    tenants: dict[int, str] = field(default_factory=dict)
    letters: dict[int, str] = field(default_factory=dict)
    kept: dict[int, Owed] = field(default_factory=dict)
    effects: dict[str, list[int]] = field(default_factory=dict)
    keys: dict[int, Key | None] = field(default_factory=dict)
    outside: set[int] = field(default_factory=set)
    steps: Counter[int] = field(default_factory=Counter)
    claims: Counter[int] = field(default_factory=Counter)

    def expected_routes(self, count: int) -> list[Owed]:
        """The deliveries that the first arrivals must become, in order, still without ids."""
        return [
            Owed(
                id=0, tenant=a.tenant, uid=a.uid, handler=h, script=a.script, lane=a.lane,
                stream=None if h == "m.loose" else a.stream, place=a.place or 0,
            )
            for a in self.arrived[:count]
            for h in a.handlers
        ]  # fmt: skip

    def route(self, count: int, ids: Iterable[int]) -> None:
        """The first arrivals became deliveries of these ids; heads give way to their corrections."""
        places = [a.place for a in self.arrived[:count] if a.place is not None]
        for new, id_ in zip(self.expected_routes(count), ids, strict=True):
            new.id, new.place = id_, new.place or id_
            if new.key is not None and self._in_stream(new.key):
                new.state = "waiting"
            self.owed[id_] = new
            self.tenants[id_], self.keys[id_] = new.tenant, new.key
        del self.arrived[:count]
        for place in places:
            self.let_go(place)

    def claim(self, ids: Iterable[int], *, lease: UUID) -> None:
        for owed in map(self.owed.__getitem__, ids):
            assert owed.state == "ready", f"{owed} was claimed"
            self._lease(owed, lease)

    def supersede(self, lease: UUID) -> None:
        """Of each coalescing stream whose head is under the lease, the newest takes its place."""
        for head in self.under(lease):
            behind = self._waiting(head.key) if head.key and head.handler == "m.newest" else []
            if not behind:
                continue
            head.attempts -= 1
            for older in [head, *behind[:-1]]:
                self._end(older, "superseded")
                self._close_letter(older, "resolved")
            self._lease(behind[-1], lease)

    def under(self, lease: UUID) -> list[Owed]:
        """What the lease still holds, in the order of ids."""
        held = [o for o in self.owed.values() if o.lease == lease]
        return sorted(held, key=lambda o: o.id)

    def outcome(self, id_: int, script: Sequence[str]) -> str:
        """What the handler does at its next run of this delivery."""
        return script[min(self.steps[id_], len(script) - 1)]

    def settle(self, owed: Owed, outcome: str) -> None:
        """One attempt has come to its end, under a lease that holds."""
        self.steps[owed.id] += 1
        if outcome in ("fail", "permanent"):
            if outcome == "permanent" or owed.failures + 1 >= ATTEMPTS:
                self._die(owed)
            else:
                owed.failures += 1
                self._put_off(owed)
        elif outcome == "snooze":
            owed.attempts -= 1
            self._put_off(owed)
        else:
            end = "done" if outcome == "done" else "discarded"
            self._end(owed, end)
            self._close_letter(owed, "resolved" if end == "done" else "discarded")
            if end == "done" and owed.handler == "m.outside":
                self.outside.add(owed.id)
            elif end == "done":
                self.effects.setdefault(owed.tenant, []).append(owed.id)
            self.promote(owed.key)

    def expire(self, id_: int) -> None:
        """The lease of one delivery ran out."""
        owed = self.owed[id_]
        if owed.crashes == 0 or owed.alone:
            owed.crashes += 1
        else:
            owed.attempts -= 1
        owed.alone = False
        owed.lease = None
        if owed.crashes >= MAX_CRASHES:
            self._die(owed)
        else:
            owed.state = "ready"

    def all_due(self) -> None:
        for owed in self.owed.values():
            if owed.state == "scheduled":
                owed.state = "ready"

    def resume(self, cap: int) -> None:
        for owed in self.owed.values():
            if owed.cap == cap:
                owed.state, owed.cap = "ready", None

    def retry(self, id_: int) -> None:
        """A person lets it run again, under its own id, at its old place."""
        self.letters[id_] = "retrying"
        owed = self.kept[id_]
        if id_ not in self.owed:
            owed.place = id_  # what held its stream keeps the place it stood in for
            self.owed[id_] = owed
        owed.state = "ready" if owed.key is None else "waiting"
        owed.failures = owed.crashes = owed.lane = 0
        owed.is_redriven = True
        self.promote(owed.key)

    def decide(self, id_: int, letter: str) -> None:
        """A person discards or corrects it."""
        self.letters[id_] = letter
        self.history[id_] = ("discarded", *self.history[id_][1:])
        if letter == "discarded":
            self.let_go(id_)

    def let_go(self, id_: int) -> None:
        """A held head leaves its stream."""
        owed = self.owed.get(id_)
        if owed is not None and owed.state == "held":
            del self.owed[id_]
            self.promote(owed.key)

    def promote(self, key: Key | None) -> None:
        """The next of a stream that has no active delivery is ready."""
        if key is not None and self._in_stream(key) and not self._active(key):
            self._waiting(key)[0].state = "ready"

    def _in_stream(self, key: Key) -> list[Owed]:
        return [o for o in self.owed.values() if o.key == key]

    def _active(self, key: Key) -> list[Owed]:
        return [o for o in self._in_stream(key) if o.state != "waiting"]

    def _waiting(self, key: Key) -> list[Owed]:
        waiting = [o for o in self._in_stream(key) if o.state == "waiting"]
        return sorted(waiting, key=lambda o: o.place)

    def _lease(self, owed: Owed, lease: UUID) -> None:
        owed.state, owed.lease, owed.alone = "running", lease, False
        owed.attempts += 1
        self.claims[owed.id] += 1

    def _put_off(self, owed: Owed) -> None:
        owed.state, owed.lease, owed.alone = "scheduled", None, False

    def _end(self, owed: Owed, state: str) -> None:
        self.history[owed.id] = (state, owed.attempts, owed.failures, owed.crashes)
        del self.owed[owed.id]

    def _close_letter(self, owed: Owed, state: str) -> None:
        if owed.is_redriven and self.letters[owed.id] == "retrying":
            self.letters[owed.id] = state

    def _die(self, owed: Owed) -> None:
        self._end(owed, "dead")
        self.letters[owed.id] = "open"
        owed.lease, owed.alone = None, False
        self.kept[owed.id] = owed
        if owed.handler == "m.hold":
            owed.state = "held"
            self.owed[owed.id] = owed
        self.promote(owed.key)
