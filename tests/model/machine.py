"""The machine: whatever may happen to the engine, in any order, beside the plain model.

Long, because Hypothesis wants all rules in one class; what they compare is in `comparing.py`.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from apps.dispatch import caps, claiming, operations
from apps.dispatch.models import Cap, Lane, PendingDelivery, State, TenantShare
from apps.engine import router, sweeping, working
from apps.engine.attempting import attempt
from apps.engine.settling import settle
from apps.events.filters import EventFilter
from apps.events.queries import load_events
from apps.events.replaying import start_replay, step_replay
from apps.fallback.bulk import decide
from apps.fallback.models import DeadLetter
from apps.fallback.operations import correct, discard
from apps.fallback.orders import Order
from apps.fallback.selecting import Selection
from apps.tenants.entering import entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.model.comparing import CATEGORY, LEASE, NAMES, Compared
from tests.model.ledger import Arrived
from tests.model.scripted import EVERY, KINDS
from tests.processes import eventually

tenants = st.sampled_from(NAMES)
streams = st.sampled_from(("room 1", "room 2"))
kinds = st.sampled_from((*KINDS, *KINDS, EVERY))
_stumbles = st.lists(st.sampled_from(("fail", "snooze")), max_size=2)
_ends = st.sampled_from(("done", "done", "done", "permanent", "discard", "fail"))
scripts = st.builds(lambda first, last: (*first, last), _stumbles, _ends)
picks = st.integers(0, 30)


class Engine(Compared):
    """Two tenants, two streams, five kinds of handlers; each step is compared with the ledger."""

    @initialize(tenant=tenants, first=scripts, second=scripts, limit=st.sampled_from((2, 4, 100)))
    def begin(
        self, tenant: str, first: tuple[str, ...], second: tuple[str, ...], limit: int
    ) -> None:
        """Every story begins with work of each kind, and a worker that has claimed some of it."""
        self.publish(tenant=tenant, stream="room 1", kind=EVERY, script=first, count=1, routed=True)
        self.publish(
            tenant="acme", stream="room 1", kind=EVERY, script=second, count=2, routed=True
        )
        self.claim(limit=limit, lane=0)

    # What comes in

    @rule(
        tenant=tenants,
        stream=streams,
        kind=kinds,
        script=scripts,
        count=st.integers(1, 3),
        routed=st.booleans(),
    )
    def publish(
        self, tenant: str, stream: str, kind: str, script: tuple[str, ...], count: int, routed: bool
    ) -> None:
        envelopes = []
        for _ in range(count):
            self.sent += 1
            data = {"script": list(script), "n": self.sent}
            envelopes.append(
                Envelope(
                    id=str(self.sent), source="model", type=f"custom.{kind}", subject=stream,
                    data=data,
                )
            )  # fmt: skip
        with entering(self.tenants[tenant]):
            receipts = publish_many(envelopes)
        names = [f"m.{k}" for k in KINDS] if kind == EVERY else [f"m.{kind}"]
        for receipt in receipts:
            arrived = Arrived(
                tenant=tenant, uid=receipt.uid, handlers=names, stream=stream, script=script
            )
            self.ledger.arrived.append(arrived)
            self.logged[tenant].append(arrived)
            self.names[receipt.uid] = names
        if routed:
            self.route(limit=1000)

    @rule(limit=st.sampled_from((1, 2, 1000)))
    def route(self, limit: int) -> None:
        count = min(limit, len(self.ledger.arrived))
        assert router.route(limit=limit) == count
        self._learn_routes(count)

    @precondition(lambda self: not self.has_replayed)
    @rule(tenant=tenants)
    def replay(self, tenant: str) -> None:
        """All that a tenant has logged so far comes again, in the bulk lane, not to the outside."""
        with entering(self.tenants[tenant]):
            now = datetime.now(UTC)
            started = start_replay(
                EventFilter(), handler_names=None, include_external=False, rate=None,
                requested_by="ann", reason="", now=now,
            )  # fmt: skip
            step_replay(started.pk, now=now)
        self.has_replayed = True
        for event in self.logged[tenant]:
            inside = [name for name in event.handlers if name != "m.outside"]
            self.ledger.arrived.append(replace(event, handlers=inside, lane=1))

    # What workers do

    @rule(limit=st.sampled_from((1, 3, 100)), lane=st.sampled_from((0, 0, 0, 1)))
    def claim(self, limit: int, lane: int) -> None:
        lease, batch = claiming.claim(CATEGORY, lane=Lane(lane), limit=limit, lease_for=LEASE)
        self._learn_claim(lease, batch, limit=limit, lane=lane)

    @precondition(lambda self: self.held)
    @rule(pick=picks)
    def run(self, pick: int) -> None:
        """A worker runs what it has claimed, be it in time or too late."""
        lease = self._pick_lease(pick)
        working.run_batch(self.held.pop(lease), lease=lease)
        self._learn_run(lease)

    @precondition(lambda self: self.held)
    @rule(pick=picks)
    def talk(self, pick: int) -> None:
        """A worker talks to the outside about what it has claimed, and stalls before settling."""
        lease = self._pick_lease(pick)
        batch = [d for d in self.held[lease] if d.handler == "m.outside"]
        if not batch:
            return
        del self.held[lease]
        self.talks[lease] = []
        for delivery in batch:
            tenant = self.tenants[self.ids[delivery.tenant_id]]
            with entering(tenant):
                events = load_events({delivery.event_uid})
                act = self.ledger.outcome(delivery.id, events[delivery.event_uid].data["script"])
                ran = attempt(delivery, events, tenant=tenant)
            self.talks[lease].append((ran, act))

    @precondition(lambda self: self.talks)
    @rule(pick=picks)
    def settle_talk(self, pick: int) -> None:
        """It wakes up and settles; only what is still its own may change."""
        lease = sorted(self.talks)[pick % len(self.talks)]
        talks = self.talks.pop(lease)
        ours = {owed.id for owed in self.ledger.under(lease)}
        for name, tenant in self.tenants.items():
            runs = [(ran, act) for ran, act in talks if ran.delivery.tenant_id == tenant.id]
            if runs:
                with entering(tenant), transaction.atomic():
                    tally = settle([ran for ran, _ in runs], lease=lease)
                assert tally.lost == sum(ran.delivery.id not in ours for ran, _ in runs), name
        for ran, act in talks:
            if ran.delivery.id in ours:
                self.ledger.settle(self.ledger.owed[ran.delivery.id], act)

    @precondition(lambda self: self.held)
    @rule(pick=picks)
    def give_back(self, pick: int) -> None:
        """A worker that is told to stop gives back what it has not started."""
        lease = self._pick_lease(pick)
        batch = self.held.pop(lease)
        ours = self.ledger.under(lease)
        assert operations.release([d.id for d in batch], lease=lease) == len(ours)
        for owed in ours:
            owed.state, owed.lease, owed.alone = "ready", None, False
            owed.attempts -= 1

    # What goes wrong

    @precondition(lambda self: self.held)
    @rule(pick=picks, alone=st.booleans())
    def crash(self, pick: int, alone: bool) -> None:
        """A worker dies with all that it has claimed, maybe while one of it ran alone."""
        lease = self._pick_lease(pick)
        batch = self.held.pop(lease)
        if alone:
            victim = batch[pick % len(batch)].id
            if operations.mark_alone(victim, lease=lease):
                self.ledger.owed[victim].alone = True

    @rule(pick=picks)
    def expire(self, pick: int) -> None:
        """The lease of one running delivery ends, whoever holds it."""
        running = sorted(o.id for o in self.ledger.owed.values() if o.lease is not None)
        if running:
            id_ = running[pick % len(running)]
            late = datetime.now(UTC) - timedelta(seconds=1)
            PendingDelivery.objects.filter(id=id_).update(lease_until=late)
            self.ledger.expire(id_)
        self._sweep()

    @rule()
    def time_passes(self) -> None:
        """All retries and snoozes are due."""
        late = datetime.now(UTC) - timedelta(seconds=1)
        PendingDelivery.objects.filter(state=State.SCHEDULED).update(due_at=late)
        self.ledger.all_due()
        self._sweep()

    # What people do

    @precondition(lambda self: self._letters())
    @rule(pick=picks)
    def retry(self, pick: int) -> None:
        id_ = self._pick_letter(pick)
        self._retry(id_)()
        self.ledger.retry(id_)

    @precondition(lambda self: self._letters())
    @rule(pick=picks)
    def discard(self, pick: int) -> None:
        id_ = self._pick_letter(pick)
        with entering(self._tenant_of(id_)):
            discard([self._letter(id_)], actor="ann", note="no", now=datetime.now(UTC))
        self.ledger.decide(id_, "discarded")

    @precondition(lambda self: self._letters())
    @rule(pick=picks, script=scripts)
    def correct(self, pick: int, script: tuple[str, ...]) -> None:
        id_ = self._pick_letter(pick)
        self.sent += 1
        data = {"script": list(script), "n": self.sent}
        with entering(self._tenant_of(id_)):
            uid = correct(self._letter(id_), data=data, actor="ann", now=datetime.now(UTC))
        old = self.ledger.kept[id_]
        arrived = Arrived(
            tenant=old.tenant, uid=uid, handlers=[old.handler], script=script, place=id_,
            stream=old.stream or "",
        )  # fmt: skip
        self.ledger.arrived.append(arrived)
        self.ledger.decide(id_, "corrected")
        # A replay will send it to all that take its type.
        names = self.names[uid] = self.names[old.uid]
        self.logged[old.tenant].append(replace(arrived, handlers=names, place=None))

    @precondition(lambda self: self._letters())
    @rule(tenant=tenants, action=st.sampled_from(("retry", "discard")))
    def decide_many(self, tenant: str, action: str) -> None:
        ids = [id_ for id_ in self._letters() if self.ledger.tenants[id_] == tenant]
        with entering(self.tenants[tenant]):
            pks = list(DeadLetter.objects.filter(delivery_id__in=ids).values_list("pk", flat=True))
            now = datetime.now(UTC)
            order = Order(action=action, actor="ann", note="n")
            decided = decide(Selection(ids=pks, cutoff=now), order, now=now)
        assert decided.changed == len(ids)
        for id_ in ids:
            if action == "retry":
                self.ledger.retry(id_)
            else:
                self.ledger.decide(id_, "discarded")

    @rule(scope=st.sampled_from(("tenant", "handler", "category")), tenant=tenants, kind=kinds)
    def pause(self, scope: str, tenant: str, kind: str) -> None:
        if kind == EVERY:
            return
        now = datetime.now(UTC)
        if scope == "tenant":
            cap = caps.set_cap(by="ann", now=now, tenant_id=self.tenants[tenant].id)
            self.caps[cap.pk] = lambda owed: owed.tenant == tenant
        elif scope == "handler":
            cap = caps.set_cap(by="ann", now=now, handler=f"m.{kind}")
            self.caps[cap.pk] = lambda owed: owed.handler == f"m.{kind}"
        else:
            cap = caps.set_cap(by="ann", now=now, category=CATEGORY)
            self.caps[cap.pk] = lambda owed: True

    @precondition(lambda self: self.caps)
    @rule(pick=picks)
    def resume(self, pick: int) -> None:
        pk = sorted(self.caps)[pick % len(self.caps)]
        del self.caps[pk]
        caps.remove_cap(Cap.objects.get(pk=pk))
        self.ledger.resume(pk)

    @rule(tenant=tenants, weight=st.sampled_from((0.5, 1.0, 4.0)))
    def weigh(self, tenant: str, weight: float) -> None:
        TenantShare.objects.update_or_create(
            tenant_id=self.tenants[tenant].id, defaults={"weight": weight}
        )

    # Two at once: what the engine does beside another must be as if one had come first

    @precondition(lambda self: self.held and self.ledger.arrived)
    @rule(pick=picks)
    def settle_while_the_router_has_found_heads(self, pick: int) -> None:
        lease = self._pick_lease(pick)
        routing = self.side(router.route, before="FOR KEY SHARE")
        eventually(lambda: routing.has_stopped or routing.has_ended)
        working.run_batch(self.held.pop(lease), lease=lease)
        count = routing.result()
        self._learn_run(lease)
        self._learn_routes(count)

    @precondition(lambda self: self.held and self.ledger.arrived)
    @rule(pick=picks)
    def settle_while_the_router_holds_heads(self, pick: int) -> None:
        lease = self._pick_lease(pick)
        batch = self.held.pop(lease)
        routing = self.side(router.route, holds=True)
        routing.wait_until_stopped()
        running = self.side(lambda: working.run_batch(batch, lease=lease))
        eventually(lambda: running.is_blocked or running.has_ended)
        count = routing.result()
        running.result()
        self._learn_run(lease)
        self._learn_routes(count)

    @precondition(lambda self: self.held)
    @rule(pick=picks)
    def settle_while_the_sweep_takes_it_back(self, pick: int) -> None:
        """The lease is over, the work is done, and the sweep comes just before the settling."""
        lease = self._pick_lease(pick)
        if any(owed.crashes for owed in self.ledger.under(lease)):
            return  # what runs alone is settled in parts
        batch = self.held.pop(lease)
        late = datetime.now(UTC) - timedelta(seconds=1)
        PendingDelivery.objects.filter(lease=lease).update(lease_until=late)
        running = self.side(
            lambda: working.run_batch(batch, lease=lease), before="INSERT INTO events_delivery"
        )
        eventually(lambda: running.has_stopped or running.has_ended)
        stopped = running.has_stopped
        sweeping.sweep()
        operations.heal_streams()
        if stopped:
            self._learn_what_was_taken_back(lease)
        running.result()
        self._learn_run(lease)

    @precondition(lambda self: self.held and self._letters())
    @rule(pick=picks)
    def settle_beside_a_retry(self, pick: int) -> None:
        lease, id_ = self._pick_lease(pick), self._pick_letter(pick)
        batch = self.held.pop(lease)
        retrying = self.side(self._retry(id_), holds=True)
        retrying.wait_until_stopped()
        running = self.side(lambda: working.run_batch(batch, lease=lease))
        eventually(lambda: running.is_blocked or running.has_ended)
        retrying.result()
        running.result()
        self._learn_run(lease)
        self.ledger.retry(id_)
        operations.heal_streams()

    @rule(lane=st.sampled_from((0, 0, 1)))
    def claim_twice_at_once(self, lane: int) -> None:
        claims = [
            self.side(
                lambda limit=limit: claiming.claim(
                    CATEGORY, lane=Lane(lane), limit=limit, lease_for=LEASE
                ),
                holds=True,
            )
            for limit in (2, 100)
        ]
        claims[0].wait_until_stopped()
        for claiming_ in claims:
            lease, batch = claiming_.result()
            self._learn_claim(lease, batch, limit=0, lane=lane)
