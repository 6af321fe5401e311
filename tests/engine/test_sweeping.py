"""The sweep: what goes wrong with one tenant's work stays with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from apps.dispatch.models import PendingDelivery, State
from apps.engine import router, sweeping
from apps.fallback.models import DeadLetter
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from pms_events.verdicts import MAX_CRASHES
from tests.engine.handlers import handler


@contextmanager
def nothing_can_be_buried(tenant: TenantRef) -> Iterator[None]:
    """Let the tenant's database refuse every dead letter."""
    table = f"{tenant.schema_name}.fallback_deadletter"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT refused CHECK (false) NOT VALID")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT refused")


def end_leases() -> None:
    PendingDelivery.objects.update(
        state=State.RUNNING, lease=UUID(int=1), lease_until=timezone.now() - timedelta(seconds=1)
    )


def test_a_tenant_whose_poison_cannot_be_buried_holds_no_other_up(
    acme: TenantRef, harbor: TenantRef, caplog: pytest.LogCaptureFixture
) -> None:
    with handler():
        for tenant in (acme, harbor):
            with entering(tenant):
                publish_many([Envelope(id="1", source="test", type="custom.a", data={})])
        router.route()
        PendingDelivery.objects.update(crashes=MAX_CRASHES - 1, runs_alone=True)
        end_leases()
        with nothing_can_be_buried(acme):
            sweeping.sweep()
        assert [r.tenant for r in caplog.records if r.message == "poison not buried"] == ["acme"]  # type: ignore[attr-defined]
        assert list(PendingDelivery.objects.values_list("tenant_id", flat=True)) == [acme.id]
        # Nothing is lost: once it can be, it is.
        end_leases()
        sweeping.sweep()
        assert not PendingDelivery.objects.exists()
    for tenant in (acme, harbor):
        with entering(tenant):
            assert DeadLetter.objects.get().reason == "poison"
