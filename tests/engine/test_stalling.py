"""A stall is told once to who has work in it, and so is its end."""

from datetime import timedelta
from typing import Any

from apps.engine import router, sweeping, working
from apps.events.models import Event
from apps.tenants.entering import TenantRef, entering
from pms_events.categories import Category
from tests.engine.handlers import handler
from tests.engine.test_roll_ups import send


def alerts(tenant: TenantRef) -> list[tuple[str, str]]:
    with entering(tenant):
        found = Event.objects.filter(type__startswith="category.").order_by("recorded_at")
        return [(event.type, event.data["name"]) for event in found]


def test_a_stall_and_its_end_are_told_once_to_whom_they_concern(
    acme: TenantRef, harbor: TenantRef, settings: Any
) -> None:
    settings.STUCK_AFTER = timedelta(0)
    with handler(category=Category.MESSAGING):
        send(acme, "1")
        router.route()
        for _ in range(3):
            sweeping.sweep()
        assert alerts(acme) == [("category.stalled", "messaging")]
        assert alerts(harbor) == []
        working.work("messaging")
        for _ in range(3):
            sweeping.sweep()
    assert alerts(acme) == [("category.stalled", "messaging"), ("category.recovered", "messaging")]
    assert alerts(harbor) == []
