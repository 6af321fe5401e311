"""A story that goes through all that the engine does, act by act, and what happens after a death."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from apps.dispatch import caps, claiming, operations
from apps.dispatch.models import Lane, PendingDelivery, State
from apps.engine import router, sweeping, working
from apps.events.filters import EventFilter
from apps.events.purging import purge_events
from apps.events.replaying import start_replay, step_replay
from apps.fallback.models import DeadLetter
from apps.fallback.operations import correct, discard, retry
from apps.tenants.entering import TenantRef, entering, get_tenant
from pms_events.context import Context
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.model.dying import commits
from tests.model.scripted import KINDS, Stage

CATEGORY = "automation"
_LEASE = timedelta(minutes=5)
_MOVING = (State.READY, State.RUNNING, State.SCHEDULED, State.PAUSED)
_SCRIPTS = (("fail", "done"), ("permanent", "done"), ("done",))


def stage(folder: Path) -> Stage:
    """Handlers whose step is the attempt, so that any process goes on where another died."""

    def tell(delivery: int) -> None:
        with (folder / "told").open("a") as told:
            told.write(f"{delivery}\n")

    def step_of(context: Context) -> int:
        return context.attempt - 1

    return Stage(step_of=step_of, tell=tell)


def recover(tenants: list[TenantRef]) -> None:
    """What sweep, router and workers do after a death, until nothing is left to do."""
    for cap in caps.get_caps():
        caps.remove_cap(cap)
    moved = True
    while moved:
        _end_leases()
        _make_all_due()
        chores = sweeping.sweep()
        for chore in chores:
            tenant = next(t for t in tenants if t.id == chore.tenant_id)
            with entering(tenant):
                step_replay(chore.ref, now=timezone.now())
        moved = bool(router.route() or chores)
        while working.work(CATEGORY)[0].moved:
            moved = True
        moved = moved or PendingDelivery.objects.filter(state__in=_MOVING).exists()


def tell(folder: Path) -> None:
    """Tell the story."""
    acme, harbor = get_tenant("acme"), get_tenant("harbor")
    with stage(folder).on():
        for act in _ACTS:
            commits.act = act.__name__.strip("_").replace("_", " ")
            act(acme, harbor, folder)


def _publish(acme: TenantRef, harbor: TenantRef, folder: Path) -> None:
    for tenant in (acme, harbor):
        with entering(tenant):
            publish_many(
                [
                    _envelope(kind, n, script)
                    for kind in (KINDS if tenant is acme else ["hold"])
                    for n, script in enumerate(_SCRIPTS)
                ]
            )


def _envelope(kind: str, n: int, script: tuple[str, ...]) -> Envelope:
    return Envelope(
        id=f"{kind}-{n}", source="story", type=f"custom.{kind}", subject="room",
        data={"script": list(script), "n": n},
    )  # fmt: skip


def _route(acme: TenantRef, harbor: TenantRef, folder: Path) -> None:
    router.route()


def _work(acme: TenantRef, harbor: TenantRef, folder: Path) -> None:
    working.work(CATEGORY)


def _sweep_what_is_due(acme: TenantRef, harbor: TenantRef, folder: Path) -> None:
    with commits.aside():
        _make_all_due()
    sweeping.sweep()


def _work_again(acme: TenantRef, harbor: TenantRef, folder: Path) -> None:
    while working.work(CATEGORY)[0].moved:
        pass


def _retry(acme: TenantRef, harbor: TenantRef, folder: Path) -> None:
    _decide(acme, "m.ordered", lambda letter: retry([letter], actor="ann", now=timezone.now()))


def _correct(acme: TenantRef, harbor: TenantRef, folder: Path) -> None:
    data = {"script": ["done"], "n": 9}
    _decide(
        acme, "m.hold", lambda letter: correct(letter, data=data, actor="ann", now=timezone.now())
    )


def _discard(acme: TenantRef, harbor: TenantRef, folder: Path) -> None:
    _decide(
        harbor, "m.hold",
        lambda letter: discard([letter], actor="ann", note="no", now=timezone.now()),
    )  # fmt: skip


def _retry_many(acme: TenantRef, harbor: TenantRef, folder: Path) -> None:
    with entering(acme):
        retry(list(DeadLetter.objects.filter(state="open")), actor="ann", now=timezone.now())


def _decide(tenant: TenantRef, handler: str, act: Callable[[DeadLetter], object]) -> None:
    with entering(tenant):
        act(DeadLetter.objects.filter(handler=handler, state="open").earliest("delivery_id"))


def _pause(acme: TenantRef, harbor: TenantRef, folder: Path) -> None:
    """One handler is paused; a worker parks what is its own, and gives the rest back unstarted."""
    caps.set_cap(handler="m.ordered", by="ann", now=timezone.now())
    lease, batch = claiming.claim(CATEGORY, lane=Lane.LIVE, limit=100, lease_for=_LEASE)
    operations.release([delivery.id for delivery in batch], lease=lease)


def _resume(acme: TenantRef, harbor: TenantRef, folder: Path) -> None:
    for cap in caps.get_caps():
        caps.remove_cap(cap)


def _expire(acme: TenantRef, harbor: TenantRef, folder: Path) -> None:
    """A claim whose worker is gone; and one whose worker died over it alone, for the third time."""
    for tenant, handler, died_before in ((harbor, "m.hold", 0), (acme, "m.ordered", 2)):
        chosen = PendingDelivery.objects.filter(tenant_id=tenant.id, handler=handler)
        with commits.aside():
            # Turns depend on the time of day: who is next must not.
            chosen.filter(state=State.READY).update(turn=-1)
        claiming.claim(CATEGORY, lane=Lane.LIVE, limit=1, lease_for=_LEASE)
        with commits.aside():
            taken = chosen.filter(state=State.RUNNING)
            taken.update(crashes=died_before, attempts=died_before + 1, runs_alone=True)
            _end_leases()
        sweeping.sweep()


def _replay(acme: TenantRef, harbor: TenantRef, folder: Path) -> None:
    with entering(acme):
        now = timezone.now()
        replay = start_replay(
            EventFilter(), handler_names=["m.loose", "m.newest"], include_external=False, rate=None,
            requested_by="ann", reason="", now=now,
        )  # fmt: skip
        step_replay(replay.pk, now=now)


def _purge(acme: TenantRef, harbor: TenantRef, folder: Path) -> None:
    with entering(acme):
        now = timezone.now()
        purge_events(now + timedelta(minutes=1), archive=folder / "archive" / "acme", now=now)


def _end_leases() -> None:
    late = timezone.now() - timedelta(seconds=1)
    PendingDelivery.objects.filter(state=State.RUNNING).update(lease_until=late)


def _make_all_due() -> None:
    late = timezone.now() - timedelta(seconds=1)
    PendingDelivery.objects.filter(state=State.SCHEDULED).update(due_at=late)


_ACTS = [
    _publish, _route, _expire, _pause, _resume, _work, _sweep_what_is_due, _work_again, _retry,
    _correct, _discard, _retry_many, _route, _work_again, _replay, _route, _work_again, _purge,
]  # fmt: skip
