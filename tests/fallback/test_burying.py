"""Burying: whatever an event says, its dead delivery is put before a person."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.dispatch.models import PendingDelivery
from apps.fallback.models import DeadLetter
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many


@pytest.mark.parametrize(
    ("data", "units"),
    [
        ({"unit": "a", "stays": [{"unit_id": "b"}, {"unit_id": "a"}]}, ["a", "b"]),
        ({"unit": "u" * 256, "unit_id": "u" * 255}, ["u" * 255]),
        ({"unit": ["a"], "unit_id": 5}, []),
        ({"stays": [{"unit": f"{n:03}"} for n in range(100)]}, [f"{n:03}" for n in range(50)]),
    ],
)
def test_units_are_those_texts_that_could_name_one(
    acme: TenantRef, run_all: Callable[..., int], data: dict[str, Any], units: list[str]
) -> None:
    with entering(acme):
        publish_many([Envelope(id="1", source="test", type="unknown.to_all", data=data)])
    run_all()
    with entering(acme):
        assert DeadLetter.objects.get().units == units
    assert not PendingDelivery.objects.exists()
