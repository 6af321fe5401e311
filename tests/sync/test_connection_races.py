"""Two at once at a connection, stepped through the dangerous points on connections of their own."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from apps.events.models import Event
from apps.sync import connecting, receiving, rounds
from apps.sync.connectors.registry import Received
from apps.sync.models import Connection, Reception
from apps.tenants.entering import TenantRef, entering
from apps.tenants.models import HookToken
from tests.model.sides import Sides, sides

HOUR = timedelta(hours=1)
NOW = timezone.now()


@pytest.fixture
def side(database: None) -> Iterator[Sides]:
    with sides() as make:
        yield make


@pytest.fixture
def connection(acme: TenantRef) -> Connection:
    with entering(acme):
        made = connecting.create_connection(name="feed", silent_after=HOUR, now=NOW)
    return made.connection


def inside(tenant: TenantRef, act: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        with entering(tenant):
            return act()

    return run


def hearing(connection: Connection, body: bytes, hours: int = 2) -> Callable[[], object]:
    received = Received(headers={}, body=body)
    return lambda: receiving.receive(connection, received, now=NOW + hours * HOUR)


def telling() -> None:
    with transaction.atomic():
        rounds.tell_silent_connections(NOW + 2 * HOUR)


def types() -> list[str]:
    return list(Event.objects.order_by("type").values_list("type", flat=True))


def test_one_that_speaks_beside_the_round_is_not_told_silent(
    acme: TenantRef, connection: Connection, side: Sides
) -> None:
    hear = side(inside(acme, hearing(connection, b"1")), after='UPDATE "sync_connection"')
    hear.wait_until_stopped()
    tell = side(inside(acme, telling))
    tell.wait_until_blocked()
    hear.result()
    tell.result()
    with entering(acme):
        assert types() == ["connection.body_received"]
        assert Connection.objects.get().silent_since is None


def test_the_round_beside_one_that_speaks_is_told_and_taken_back(
    acme: TenantRef, connection: Connection, side: Sides
) -> None:
    tell = side(inside(acme, telling), after='UPDATE "sync_connection"')
    tell.wait_until_stopped()
    hear = side(inside(acme, hearing(connection, b"1")))
    hear.wait_until_blocked()
    tell.result()
    hear.result()
    with entering(acme):
        assert types() == [
            "connection.body_received", "connection.resumed", "connection.silent",
        ]  # fmt: skip
        assert Connection.objects.get().silent_since is None


def test_one_delivery_twice_at_once_is_stored_once_and_heard_twice(
    acme: TenantRef, connection: Connection, side: Sides
) -> None:
    first = side(inside(acme, hearing(connection, b"1")), after="sync_reception")
    first.wait_until_stopped()
    second = side(inside(acme, hearing(connection, b"1")))
    second.wait_until_blocked()
    assert first.result() == second.result()
    with entering(acme):
        assert types() == ["connection.body_received"]
        assert Reception.objects.count() == 1
        assert Connection.objects.get().received_count == 2


def test_a_body_of_a_connection_that_is_deleted_meanwhile_leaves_nothing(
    acme: TenantRef, connection: Connection, side: Sides
) -> None:
    hear = side(inside(acme, hearing(connection, b"1")), before="FOR NO KEY UPDATE")
    hear.wait_until_stopped()
    with entering(acme):
        connecting.delete_connection(connection)
    with pytest.raises(Connection.DoesNotExist):
        hear.result()
    with entering(acme):
        assert (types(), Reception.objects.count()) == ([], 0)


def test_of_two_rotations_at_once_both_shown_tokens_are_known(
    acme: TenantRef, connection: Connection, side: Sides
) -> None:
    def rotate() -> object:
        return connecting.rotate_token(connection, now=NOW)

    first = side(inside(acme, rotate), after="FOR NO KEY UPDATE")
    first.wait_until_stopped()
    second = side(inside(acme, rotate))
    second.wait_until_blocked()
    first.result()
    second.result()
    until = HookToken.objects.order_by("valid_until").values_list("valid_until", flat=True)
    assert list(until) == [NOW + timedelta(hours=24), None]
