"""Endpoints of tenants, events for them, and what was said to them."""

from collections.abc import Callable

import pytest

from apps.sync.models import Endpoint, Exchange
from apps.sync.operations import create_endpoint
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many

EndpointOf = Callable[..., tuple[Endpoint, str]]


@pytest.fixture
def endpoint_of(database: None) -> EndpointOf:
    """Make an endpoint with its secret: `endpoint_of(acme, receiver.url, "booking.*")`."""

    def make(tenant: TenantRef, url: str, *patterns: str) -> tuple[Endpoint, str]:
        with entering(tenant):
            return create_endpoint(url=url, patterns=patterns or ("custom.*",))

    return make


def publish(tenant: TenantRef, *ids: str, type: str = "custom.thing", subject: str = "") -> None:
    """State custom events in a tenant."""
    with entering(tenant):
        publish_many(
            [Envelope(id=i, source="test", type=type, subject=subject, data={"n": i}) for i in ids]
        )


def exchanges(tenant: TenantRef) -> list[Exchange]:
    """Give a tenant's exchanges, oldest first."""
    with entering(tenant):
        return list(Exchange.objects.select_related("endpoint").order_by("id"))
