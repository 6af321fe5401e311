"""A decision about many, with real workers: killed on the way, and finished by those who come after."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from apps.bookings.models import Booking
from apps.dispatch.models import Chore
from apps.fallback.bulk import CHUNK, start_bulk_action
from apps.fallback.filters import DeadLetterFilter
from apps.fallback.models import BulkAction, DeadLetter, Review
from apps.fallback.orders import Order
from apps.fallback.selecting import Selection
from apps.tenants.entering import TenantRef, entering
from tests.fallback.conftest import build as build
from tests.fallback.conftest import die as die
from tests.processes import Process, eventually

pytestmark = pytest.mark.stack

MANY = 2 * CHUNK + 50


def test_a_bulk_action_whose_worker_is_killed_is_finished_by_the_next_and_decides_each_once(
    acme: TenantRef,
    die: Callable[..., list[DeadLetter]],
    build: Callable[..., None],
    worker: Callable[..., Process],
    beat: Callable[..., Process],
) -> None:
    die(acme, *[str(number) for number in range(MANY)], status="tentative")
    build(acme, "nowhere")
    now = timezone.now()
    with entering(acme):
        bulk = start_bulk_action(
            Selection(cutoff=now, filter=DeadLetterFilter()),
            Order(action="retry", actor="ann"),
            now=now,
        )
    first = worker()
    beat()
    eventually(lambda: decided(acme) > 0)
    first.kill()
    worker()
    eventually(lambda: states(acme) == {"resolved"}, seconds=90)
    with entering(acme):
        bulk = BulkAction.objects.get(pk=bulk.pk)
        assert (bulk.state, bulk.total, bulk.done, bulk.skipped) == ("done", MANY, MANY, 0)
        assert Review.objects.filter(bulk=bulk).count() == MANY
        assert Review.objects.filter(bulk=bulk).values("dead_letter").distinct().count() == MANY
        assert Booking.objects.count() == MANY
    assert not Chore.objects.exists()


def decided(tenant: TenantRef) -> int:
    with entering(tenant):
        return Review.objects.count()


def states(tenant: TenantRef) -> set[str]:
    with entering(tenant):
        return set(DeadLetter.objects.values_list("state", flat=True))
