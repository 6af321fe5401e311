"""What waits for the router is taken in the order of each tenant, also late and behind a flood."""

import time
from contextlib import closing
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from django.db import connection, transaction

from apps.dispatch import arrivals
from apps.dispatch.marks import Mark, Pace
from apps.dispatch.models import Arrival, PendingDelivery
from apps.engine import router
from apps.tenants.entering import TenantRef
from tests.engine.handlers import handler
from tests.engine.test_fairness import let_wait, publish, route_all


class Dear(Pace):
    """Scans from the bottom cost too much to be made now."""

    is_due = is_cheap = False


def insert_arrival(cursor: Any, tenant: TenantRef, *, stream: str) -> str:
    """Put an event before the router; gives its uid."""
    uid = str(uuid4())
    cursor.execute(
        """INSERT INTO public.dispatch_arrival (tenant_id, event_uid, type, stream, accepted_at, lane,
        target, include_external) VALUES (%s, %s, 'custom.a', %s, now(), 0, '', true)""",
        [tenant.id, uid, stream],
    )
    return uid


def connect() -> Any:
    """A connection of another publisher."""
    return psycopg2.connect(**connection.get_connection_params())


def look_past(*flood: TenantRef, limit: int = 100) -> list[str]:
    """Take what others have behind a flood; gives the uids."""
    with transaction.atomic():
        taken = arrivals.take_others({tenant.id for tenant in flood}, limit=limit)
    return [str(arrival.event_uid) for arrival in taken]


def look_until_the_bound_rose(*flood: TenantRef) -> None:
    for _ in range(4):
        look_past(*flood)
        time.sleep(0.06)


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "_PASSED_LAG_SECONDS", 0.05)
    monkeypatch.setattr(arrivals, "_mark", Mark(0, lag_seconds=0.02))
    monkeypatch.setattr(arrivals, "_pace", Pace())
    monkeypatch.setattr(arrivals, "_passed", arrivals._Passed())


def test_what_a_slow_publisher_commits_late_is_routed_before_what_came_after_it(
    acme: TenantRef, harbor: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "_pace", Dear())
    with (
        closing(connect()) as slow,
        handler(),
        connection.cursor() as cursor,
        slow.cursor() as theirs,
    ):
        late = insert_arrival(theirs, acme, stream="s")
        for n in range(4):
            insert_arrival(cursor, harbor, stream=f"other-{n}")
            router.route()
            time.sleep(0.03)
        slow.commit()
        after = insert_arrival(cursor, acme, stream="s")
        route_all()
    pending = PendingDelivery.objects.filter(tenant_id=acme.id).order_by("id")
    assert [str(delivery.event_uid) for delivery in pending] == [late, after]


def test_a_bound_of_arrivals_rises_beside_publishers_that_come_and_go(
    acme: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "_pace", Dear())
    with handler(), connection.cursor() as cursor:
        for n in range(4):
            insert_arrival(cursor, acme, stream=f"s{n}")
            router.route()
            time.sleep(0.03)
    assert arrivals._mark.bound > 0


def test_past_a_flood_each_tenants_arrivals_are_taken_in_their_order(
    acme: TenantRef, harbor: TenantRef
) -> None:
    for n in range(4):
        publish(acme, f"a{n}-", 50)
        publish(harbor, f"h{n}-", 2)
    own = Arrival.objects.filter(tenant_id=harbor.id).order_by("id").values_list("id", flat=True)
    ids = list(own)
    with transaction.atomic():
        taken = [arrivals.take_others({acme.id}, limit=3) for _ in range(3)]
    assert [[arrival.id for arrival in part] for part in taken] == [ids[:3], ids[3:6], ids[6:]]
    assert Arrival.objects.count() == 200


def test_past_a_long_flood_others_are_found(acme: TenantRef, harbor: TenantRef) -> None:
    let_wait([acme.id], each=100_000)
    let_wait([harbor.id], each=1)
    with transaction.atomic():
        taken = arrivals.take_others({acme.id}, limit=10)
    assert [arrival.tenant_id for arrival in taken] == [harbor.id]


def test_a_flood_is_passed_about_once(acme: TenantRef, harbor: TenantRef) -> None:
    let_wait([acme.id], each=1000)
    look_until_the_bound_rose(acme)
    let_wait([acme.id, harbor.id], each=1)
    assert len(look_past(acme)) == 1
    # What cannot be, an event of another below the bound, is not looked for. It is routed in its order.
    Arrival.objects.filter(id=Arrival.objects.order_by("id")[500].id).update(tenant_id=harbor.id)
    assert look_past(acme) == []
    with transaction.atomic():
        assert len(arrivals.take_arrivals(limit=2000)) == 1001


def test_past_a_flood_a_late_arrival_is_taken_before_its_tenants_later_ones(
    acme: TenantRef, harbor: TenantRef
) -> None:
    with closing(connect()) as slow, slow.cursor() as theirs, connection.cursor() as cursor:
        late = insert_arrival(theirs, harbor, stream="s")
        let_wait([acme.id], each=100)
        look_until_the_bound_rose(acme)
        slow.commit()
        after = insert_arrival(cursor, harbor, stream="s")
    assert look_past(acme) == [late, after]


def test_past_a_flood_what_was_undone_is_taken_again_before_what_is_later(
    acme: TenantRef, harbor: TenantRef
) -> None:
    let_wait([acme.id], each=100)
    with connection.cursor() as cursor:
        first = insert_arrival(cursor, harbor, stream="s")
        let_wait([acme.id], each=100)
        for _ in range(4):
            with transaction.atomic():
                assert len(arrivals.take_others({acme.id}, limit=100)) == 1
                transaction.set_rollback(True)
            time.sleep(0.06)
        after = insert_arrival(cursor, harbor, stream="s")
    assert look_past(acme) == [first, after]


def test_who_does_not_flood_any_more_is_found_where_it_was_passed(
    acme: TenantRef, harbor: TenantRef
) -> None:
    let_wait([acme.id], each=100)
    let_wait([harbor.id], each=2)
    look_until_the_bound_rose(acme, harbor)
    assert len(look_past(acme)) == 2
