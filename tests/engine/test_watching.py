"""Stuck is noticed: what stands still is told once, and for as long as it lasts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.dispatch.caps import set_cap
from apps.dispatch.models import Pulse
from apps.engine import router, sweeping, working
from apps.engine.health import get_health
from apps.engine.watching import Standing, judge_standing
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.engine.handlers import handler

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def ago(seconds: int) -> datetime:
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("before", "is_waiting", "moved_at", "after"),
    [
        (Standing(), False, None, Standing()),
        (Standing(), True, None, Standing(waiting_since=NOW)),
        (Standing(waiting_since=ago(59)), True, None, Standing(waiting_since=ago(59))),
        (
            Standing(waiting_since=ago(60)), True, None,
            Standing(waiting_since=ago(60), stuck_since=NOW),
        ),
        # Something was settled meanwhile: it flows, if slowly.
        (Standing(waiting_since=ago(60)), True, ago(5), Standing(waiting_since=ago(5))),
        # It stays stuck since it was first seen so, and is not told again.
        (
            Standing(waiting_since=ago(90), stuck_since=ago(30)), True, None,
            Standing(waiting_since=ago(90), stuck_since=ago(30)),
        ),
        (Standing(waiting_since=ago(90), stuck_since=ago(30)), False, None, Standing()),
    ],
)  # fmt: skip
def test_a_category_is_stuck_when_its_work_waits_and_nothing_moves(
    before: Standing, is_waiting: bool, moved_at: datetime | None, after: Standing
) -> None:
    found = judge_standing(
        before, is_waiting=is_waiting, moved_at=moved_at, now=NOW, patience=MINUTE
    )
    assert found == after


def send(tenant: TenantRef, *ids: str) -> None:
    with entering(tenant):
        publish_many(
            [Envelope(id=id, source="t", type="custom.a", data={}) for id in ids or ("1",)]
        )


def reasons() -> dict[str, str]:
    return {part.name: part.reason for part in get_health() if not part.is_ok}


def test_work_that_nobody_takes_is_told_and_forgotten_when_it_moves(
    acme: TenantRef, settings: Any
) -> None:
    settings.STUCK_AFTER = timedelta(0)
    with handler():
        send(acme)
        router.route()
        sweeping.sweep()
        assert "is a worker of events.automation running" in reasons()["category automation"]
        working.work("automation")
        sweeping.sweep()
        assert "category automation" not in reasons()


def test_arrivals_that_nobody_routes_are_told(acme: TenantRef, settings: Any) -> None:
    settings.STUCK_AFTER = timedelta(0)
    send(acme)
    sweeping.sweep()
    assert "is a worker of events.route running" in reasons()["router"]


def test_a_router_that_moves_under_a_lasting_flood_is_not_stuck(
    acme: TenantRef, settings: Any
) -> None:
    settings.STUCK_AFTER = timedelta(0)
    send(acme, "1", "2")
    sweeping.sweep()
    assert "router" in reasons()
    with handler():
        router.route(limit=1)
    sweeping.sweep()
    assert "router" not in reasons()
    sweeping.sweep()
    assert "router" in reasons()


def test_a_paused_category_is_not_stuck(acme: TenantRef, settings: Any) -> None:
    settings.STUCK_AFTER = timedelta(0)
    with handler():
        set_cap(by="ada", now=timezone.now(), category="automation")
        send(acme)
        router.route()
        sweeping.sweep()
    assert "category automation" not in reasons()


def test_a_missing_sweep_is_told(database: None) -> None:
    assert "none yet" in reasons()["sweep"]
    sweeping.sweep()
    assert "sweep" not in reasons()
    Pulse.objects.update(seen_at=timezone.now() - timedelta(seconds=31))
    assert "the last was 31 s ago" in reasons()["sweep"]
