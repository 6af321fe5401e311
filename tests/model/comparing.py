"""Comparing the real tables with the plain model after each step, and draining at the end."""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Q
from hypothesis.stateful import RuleBasedStateMachine, invariant

from apps.dispatch import caps, claiming, operations
from apps.dispatch.clocks import forget_clocks
from apps.dispatch.models import Arrival, Cap, Lane, PendingDelivery
from apps.dispatch.work import Claimed
from apps.engine import router, sweeping, working
from apps.events.models import Delivery
from apps.events.operations import Ran
from apps.fallback.models import DeadLetter
from apps.fallback.operations import retry
from apps.properties.models import Property
from apps.tenants.entering import TenantRef, entering, get_tenant
from tests.model.emptying import empty, forget_alerts
from tests.model.ledger import Arrived, Ledger, Owed
from tests.model.scripted import Stage
from tests.model.sides import Sides, sides
from tests.processes import eventually

CATEGORY = "automation"
LEASE = timedelta(minutes=5)
NAMES = ("acme", "harbor")


class Compared(RuleBasedStateMachine):
    """What the machine needs to learn what the engine was free to choose, and to compare the rest."""

    def __init__(self) -> None:
        super().__init__()
        empty()
        forget_clocks()
        self.ledger = Ledger()
        self.told: Counter[int] = Counter()
        self.tenants: dict[str, TenantRef] = {name: get_tenant(name) for name in NAMES}
        self.ids = {tenant.id: name for name, tenant in self.tenants.items()}
        self.held: dict[UUID, list[Claimed]] = {}
        self.talks: dict[UUID, list[tuple[Ran, str]]] = {}
        self.logged: dict[str, list[Arrived]] = {name: [] for name in NAMES}
        self.names: dict[UUID, list[str]] = {}
        self.caps: dict[int, Callable[[Owed], bool]] = {}
        self.sent = 0
        self.has_replayed = False
        self._open = ExitStack()
        steps = self.ledger.steps
        stage = Stage(
            step_of=lambda context: steps[context.delivery_id],
            tell=lambda id_: self.told.update([id_]),
        )
        self._open.enter_context(stage.on())
        self.side: Sides = self._open.enter_context(sides())

    @invariant()
    def the_tables_say_what_the_model_says(self) -> None:
        forget_alerts()
        assert self._pending() == {id_: o.facts() for id_, o in self.ledger.owed.items()}

    def teardown(self) -> None:
        try:
            self._drain()
            self.the_tables_say_what_the_model_says()
            self._check_the_end()
        finally:
            self._open.close()

    def _learn_routes(self, count: int) -> None:
        """Learn the ids of new deliveries; what they are and their order is as the model says."""
        known = self.ledger.owed.keys() | self.ledger.history.keys()
        rows = PendingDelivery.objects.exclude(id__in=known).order_by("id")
        found = list(rows.values_list("id", "tenant_id", "event_uid", "handler", "stream"))
        expected = self.ledger.expected_routes(count)
        assert [(self.ids[row[1]], *row[2:]) for row in found] == [
            (o.tenant, o.uid, o.handler, o.stream) for o in expected
        ]
        self.ledger.route(count, [row[0] for row in found])

    def _learn_claim(self, lease: UUID, batch: list[Claimed], *, limit: int, lane: int) -> None:
        """Learn which ready deliveries a claim took and which it parked; `limit` 0: any number."""
        for id_, cap in PendingDelivery.objects.filter(state="paused").values_list("id", "cap_id"):
            owed = self.ledger.owed[id_]
            assert self.caps[cap](owed), f"{owed} was parked for cap {cap}"
            if owed.cap is None:
                assert owed.state == "ready", f"{owed} was parked"
                owed.state, owed.cap = "paused", cap
        assert not [d for d in batch if self._is_forbidden(self.ledger.owed[d.id])]
        self.ledger.claim([d.id for d in batch], lease=lease)
        if batch:
            self.held[lease] = batch
        if limit:
            assert len(batch) <= limit
        if limit > len(batch):
            left = [o for o in self.ledger.owed.values() if o.state == "ready" and o.lane == lane]
            assert all(self._is_forbidden(o) for o in left), f"not claimed: {left}"

    def _learn_run(self, lease: UUID) -> None:
        """What was still under the lease has ended as its script says; nothing else moved."""
        self.ledger.supersede(lease)
        for owed in self.ledger.under(lease):
            self.ledger.settle(owed, self.ledger.outcome(owed.id, owed.script))

    def _learn_what_was_taken_back(self, lease: UUID) -> None:
        """Learn what the sweep got before its worker had settled or locked it."""
        states = dict(PendingDelivery.objects.exclude(lease=lease).values_list("id", "state"))
        rows = set(PendingDelivery.objects.filter(lease=lease).values_list("id", flat=True))
        for owed in self.ledger.under(lease):
            if states.get(owed.id) == "scheduled":
                self.ledger.settle(owed, self.ledger.outcome(owed.id, owed.script))
            elif owed.id not in rows:
                self.ledger.expire(owed.id)

    def _sweep(self) -> None:
        """Sweep until nothing is overdue: a pass may leave what it has already looked past."""
        eventually(lambda: sweeping.sweep() is not None and not self._is_overdue())
        operations.heal_streams()

    def _is_overdue(self) -> bool:
        now = datetime.now(UTC)
        is_due = Q(state="scheduled", due_at__lte=now) | Q(state="running", lease_until__lte=now)
        return PendingDelivery.objects.filter(is_due).exists()

    def _is_forbidden(self, owed: Owed) -> bool:
        return any(forbids(owed) for forbids in self.caps.values())

    def _pick_lease(self, pick: int) -> UUID:
        return list(self.held)[pick % len(self.held)]

    def _letters(self) -> list[int]:
        return sorted(id_ for id_, state in self.ledger.letters.items() if state == "open")

    def _pick_letter(self, pick: int) -> int:
        letters = self._letters()
        return letters[pick % len(letters)]

    def _letter(self, id_: int) -> DeadLetter:
        return DeadLetter.objects.get(delivery_id=id_)

    def _tenant_of(self, id_: int) -> TenantRef:
        return self.tenants[self.ledger.tenants[id_]]

    def _retry(self, id_: int) -> Callable[[], int]:
        def act() -> int:
            with entering(self._tenant_of(id_)):
                return retry([self._letter(id_)], actor="ann", now=datetime.now(UTC))

        return act

    def _pending(self) -> dict[int, tuple[object, ...]]:
        rows = PendingDelivery.objects.values_list(
            "id", "tenant_id", "handler", "stream", "lane", "state", "attempts", "failures",
            "crashes", "runs_alone", "lease", "is_redriven", "cap_id",
        )  # fmt: skip
        return {row[0]: (self.ids[row[1]], *row[2:]) for row in rows}

    def _drain(self) -> None:
        """Let everything come to its end: no pauses, all leases over, all that is due is run."""
        for pk in list(self.caps):
            del self.caps[pk]
            caps.remove_cap(Cap.objects.get(pk=pk))
            self.ledger.resume(pk)
        self.held.clear()
        for owed in [o for o in self.ledger.owed.values() if o.lease is not None]:
            self.ledger.expire(owed.id)
        late = datetime.now(UTC) - timedelta(seconds=1)
        PendingDelivery.objects.filter(state="running").update(lease_until=late)
        self._sweep()
        forget_alerts()
        while self.ledger.arrived:
            count = router.route()
            assert count == len(self.ledger.arrived)
            self._learn_routes(count)
        while any(o.state in ("ready", "scheduled") for o in self.ledger.owed.values()):
            late = datetime.now(UTC) - timedelta(seconds=1)
            PendingDelivery.objects.filter(state="scheduled").update(due_at=late)
            self.ledger.all_due()
            self._sweep()
            for lane in Lane:
                lease, batch = claiming.claim(CATEGORY, lane=lane, limit=1000, lease_for=LEASE)
                self._learn_claim(lease, batch, limit=1000, lane=lane)
                if batch:
                    working.run_batch(self.held.pop(lease), lease=lease)
                    self._learn_run(lease)

    def _check_the_end(self) -> None:
        """Nothing is lost, doubled, out of order, or another tenant's."""
        forget_alerts()
        assert not Arrival.objects.exists()
        holding = {o.key for o in self.ledger.owed.values() if o.state == "held"}
        assert all(o.state == "held" or o.key in holding for o in self.ledger.owed.values())
        for name, tenant in self.tenants.items():
            mine = {id_ for id_, owner in self.ledger.tenants.items() if owner == name}
            with entering(tenant):
                history = {
                    row[0]: row[1:]
                    for row in Delivery.objects.values_list(
                        "id", "state", "attempts", "failures", "crashes"
                    )
                }
                letters = dict(DeadLetter.objects.values_list("delivery_id", "state"))
                effects = [
                    int(ref)
                    for ref in Property.objects.order_by("id").values_list("ref", flat=True)
                ]
            waiting = {o.id for o in self.ledger.owed.values() if o.state == "waiting"}
            never_ran = {id_ for id_ in waiting if id_ not in self.ledger.history}
            assert history == {i: h for i, h in self.ledger.history.items() if i in mine}
            assert history.keys() | (never_ran & mine) == mine
            assert letters == {i: s for i, s in self.ledger.letters.items() if i in mine}
            self._check_effects(name, effects)
        for id_, (state, *_) in self.ledger.history.items():
            if state == "done" and id_ in self.ledger.outside:
                assert 1 <= self.told[id_] <= self.ledger.claims[id_]

    def _check_effects(self, tenant: str, effects: list[int]) -> None:
        expected = self.ledger.effects.get(tenant, [])
        assert sorted(effects) == sorted(expected)
        streams = {self.ledger.keys[id_] for id_ in expected} - {None}
        for key in streams:
            mine = [id_ for id_ in effects if self.ledger.keys[id_] == key]
            assert mine == [id_ for id_ in expected if self.ledger.keys[id_] == key]
