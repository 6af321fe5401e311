"""The round visits every tenant, each check in a transaction of its own, one process at a time."""

import logging
from datetime import datetime

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from apps.dispatch.locks import Lock, trying
from apps.engine import rounds
from apps.properties.models import Property
from apps.tenants.entering import TenantRef, current_schema, entering
from pms_events import rounds as registry
from pms_events.errors import RegistryError
from pms_events.rounds import each_round
from tests.model.sides import sides


@pytest.fixture(autouse=True)
def only_own_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the product's checks out: these tests register their own."""
    monkeypatch.setattr(registry, "_checks", {})


def refs(tenant: TenantRef) -> list[str]:
    with entering(tenant):
        return sorted(Property.objects.values_list("ref", flat=True))


def test_each_tenant_is_visited_and_what_fails_in_one_keeps_nothing_and_stops_no_other(
    acme: TenantRef, harbor: TenantRef, caplog: pytest.LogCaptureFixture
) -> None:
    @each_round
    def a_fails_at_acme(now: datetime) -> None:
        Property.objects.create(ref="half", name="half")
        if current_schema() == "acme":
            raise ValueError("no")

    @each_round
    def b_works(now: datetime) -> None:
        Property.objects.create(ref="whole", name=now.isoformat())

    with caplog.at_level(logging.ERROR):
        assert rounds.make_round(now=timezone.now()) == 2
    assert refs(acme) == ["whole"]
    assert refs(harbor) == ["half", "whole"]
    (record,) = [r for r in caplog.records if r.message == "a check failed"]
    assert (record.tenant, record.check.rpartition(".")[2]) == ("acme", "a_fails_at_acme")  # type: ignore[attr-defined]


def test_a_statement_that_takes_too_long_in_one_tenant_stops_no_other(
    acme: TenantRef, harbor: TenantRef
) -> None:
    @each_round
    def is_slow_at_acme(now: datetime) -> None:
        Property.objects.create(ref="seen", name="seen")
        if current_schema() == "acme":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = '20ms'")
                cursor.execute("SELECT pg_sleep(2)")

    assert rounds.make_round(now=timezone.now()) == 2
    assert (refs(acme), refs(harbor)) == ([], ["seen"])


def test_a_database_that_is_away_is_told_to_the_task_which_tries_again(acme: TenantRef) -> None:
    @each_round
    def loses_its_connection(now: datetime) -> None:
        raise OperationalError("gone")

    with pytest.raises(OperationalError):
        rounds.make_round(now=timezone.now())
    with trying(Lock.ROUND) as is_ours:
        assert is_ours, "the lock was given back"


def test_a_round_beside_another_is_left_to_it(acme: TenantRef, harbor: TenantRef) -> None:
    @each_round
    def makes_one(now: datetime) -> None:
        Property.objects.create(ref=now.isoformat(), name="one")

    now = timezone.now()
    with sides() as side:
        first = side(lambda: rounds.make_round(now=now), after="INSERT INTO")
        first.wait_until_stopped()
        assert rounds.make_round(now=now) == 0
        assert first.result() == 2
    assert refs(acme) == refs(harbor) == [now.isoformat()]


def test_two_checks_of_one_name_are_refused() -> None:
    def check(now: datetime) -> None:
        raise AssertionError

    each_round(check)
    with pytest.raises(RegistryError, match="registered twice"):
        each_round(check)
