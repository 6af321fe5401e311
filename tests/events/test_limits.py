"""What a tenant may send: a rate, and a backlog; another tenant does not notice."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from apps.dispatch.sampling import get_tenants_over, take_sample
from apps.engine import router
from apps.events.limits import check_limits, mark_backlog_full
from apps.events.models import Event
from apps.tenants.entering import TenantRef, entering
from apps.web.problems import Problem
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.conftest import Api
from tests.engine.handlers import handler

EVENT = {"id": "1", "source": "test", "type": "custom.a", "data": {}}


def test_a_rate_beyond_the_limit_is_429_and_another_tenant_goes_on(
    acme: TenantRef, harbor: TenantRef, settings: Any
) -> None:
    settings.INGEST_RATE = 10
    with pytest.raises(Problem) as refused:
        check_limits(acme.id, events=11)
    assert (refused.value.status_code, refused.value.wait) == (429, 1)
    check_limits(harbor.id, events=10)


def test_a_full_backlog_is_429_with_a_time_and_nothing_is_stored(
    acme: TenantRef, harbor: TenantRef, api_of: Callable[..., Api]
) -> None:
    mark_backlog_full([acme.id])
    answer = api_of(acme).post("events", EVENT)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "10"
    assert answer.headers["Content-Type"] == "application/problem+json"
    with entering(acme):
        assert Event.objects.count() == 0
    assert api_of(harbor).post("events", EVENT).status_code == 202


def test_only_the_tenant_with_too_many_deliveries_is_over(
    acme: TenantRef, harbor: TenantRef
) -> None:
    with handler():
        for tenant, count in ((acme, 3), (harbor, 1)):
            with entering(tenant):
                publish_many(
                    [
                        Envelope(id=str(n), source="test", type="custom.a", data={})
                        for n in range(count)
                    ]
                )
        router.route()
    take_sample(now=timezone.now())
    assert get_tenants_over(2) == [acme.id]
    assert get_tenants_over(100) == []
