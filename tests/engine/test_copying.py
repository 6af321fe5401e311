"""Rows that are copied in arrive as they are, whatever their texts hold."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import DataError, IntegrityError, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apps.dispatch.models import Arrival
from apps.dispatch.operations import add_arrivals
from apps.tenants.entering import TenantRef

# What PostgreSQL cannot store is refused at the door (tests/events/test_ingest.py).
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
NOW = datetime(2026, 11, 25, 23, 59, 59, 999999, tzinfo=UTC)


def arrival(tenant: TenantRef, *, stream: str, handlers: list[str] | None) -> tuple[object, ...]:
    return (tenant.id, uuid4(), "custom.a", stream, NOW, 0, handlers, "", True, None, None)


@given(stream=TEXT, handlers=st.none() | st.lists(TEXT, max_size=3))
@example(stream="\\N", handlers=None)
@example(stream="\\.", handlers=["\\.", "\\N", "NULL", ""])
@example(stream="\t\n\r\\t\x7f\x08\u2028", handlers=['a"b,c', "{}", "\\", "\t\n"])
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_copied_is_read_again(
    acme: TenantRef, stream: str, handlers: list[str] | None
) -> None:
    rows = [arrival(acme, stream=stream, handlers=handlers) for _ in range(2)]
    with transaction.atomic():
        add_arrivals(rows)
        found = list(
            Arrival.objects.order_by("id").values_list(
                "tenant_id", "event_uid", "type", "stream", "accepted_at", "lane", "handlers",
                "target", "include_external", "replay_id", "place",
            )
        )  # fmt: skip
        transaction.set_rollback(True)
    assert found == rows


def test_nothing_is_copied_of_rows_that_do_not_fit_and_the_error_is_djangos(
    acme: TenantRef,
) -> None:
    good = arrival(acme, stream="1", handlers=None)
    for bad, error in (
        (arrival(acme, stream="x" * 300, handlers=None), DataError),
        ((None, *good[1:]), IntegrityError),
    ):
        with pytest.raises(error), transaction.atomic():
            add_arrivals([good, bad])
    assert not Arrival.objects.exists()
