"""What tests of the model do to the engine, in one word each. All of it is the real code."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from apps.dispatch import claiming
from apps.dispatch.models import Lane, PendingDelivery
from apps.dispatch.work import Claimed
from apps.engine import router, sweeping, working
from apps.engine.settling import Tally
from apps.fallback.models import DeadLetter
from apps.properties.models import Property
from apps.tenants.entering import TenantRef, entering
from pms_events.context import Context
from pms_events.envelope import Envelope
from pms_events.errors import PermanentError
from pms_events.publishing import publish_many

LEASE = timedelta(minutes=5)
Held = tuple[UUID, list[Claimed]]


def send(tenant: TenantRef, *ids: str, subject: str = "room") -> list[UUID]:
    """Publish custom events of one stream; gives their uids."""
    envelopes = [
        Envelope(id=i, source="test", type="custom.thing", subject=subject, data={"n": i})
        for i in ids
    ]
    with entering(tenant):
        return [receipt.uid for receipt in publish_many(envelopes)]


def send_and_route(tenant: TenantRef, *ids: str, subject: str = "room") -> list[UUID]:
    """Publish custom events of one stream and route them."""
    uids = send(tenant, *ids, subject=subject)
    router.route()
    return uids


def claim(limit: int = 100, *, category: str = "automation") -> Held:
    """Claim live deliveries as a worker does."""
    return claiming.claim(category, lane=Lane.LIVE, limit=limit, lease_for=LEASE)


def run(held: Held) -> Tally:
    """Run and settle what is held."""
    lease, batch = held
    return working.run_batch(batch, lease=lease)


def take_back(held: Held) -> None:
    """Let the lease end and sweep, as when the worker is dead or stuck."""
    end_lease(held)
    sweeping.sweep()


def end_lease(held: Held) -> None:
    """Set the end of a lease back, as if the time had passed."""
    late = datetime.now(UTC) - timedelta(seconds=1)
    PendingDelivery.objects.filter(lease=held[0]).update(lease_until=late)


def states() -> list[str]:
    """The states of what is pending, in the order of ids."""
    return list(PendingDelivery.objects.order_by("id").values_list("state", flat=True))


def write_effect(payload: object, context: Context) -> None:
    """An effect in the tenant's schema, one row a run: twice the same fails on the unique ref."""
    Property.objects.create(ref=context.event.id, name="effect")


def effects(tenant: TenantRef) -> list[str]:
    """The effects that happened, in order."""
    with entering(tenant):
        return list(Property.objects.order_by("id").values_list("ref", flat=True))


def letters(tenant: TenantRef) -> list[DeadLetter]:
    """The dead letters of a tenant, oldest delivery first."""
    with entering(tenant):
        return list(DeadLetter.objects.order_by("delivery_id"))


def refuse(payload: object, context: Context) -> None:
    """Fail so that only a person can help."""
    raise PermanentError("no")


def inside(tenant: TenantRef, act: Callable[[], object]) -> Callable[[], object]:
    """Let a side act inside a tenant."""

    def act_inside() -> object:
        with entering(tenant):
            return act()

    return act_inside


def now() -> datetime:
    return datetime.now(UTC)
