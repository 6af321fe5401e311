"""Emptying what the engine writes, quickly: once an example, thousands of times a run."""

from functools import cache

from django.db import connection

from apps.dispatch.models import (
    Arrival,
    BacklogSample,
    Cap,
    Chore,
    PendingDelivery,
    Progress,
    RefusedDelivery,
    TenantProgress,
    TenantShare,
    TenantTurn,
)
from apps.events.models import Attempt, Delivery, Event, Replay
from apps.fallback.alerting import DIED
from apps.fallback.models import DeadLetter, Review
from apps.properties.models import Property

_SHARED = (
    Arrival, PendingDelivery, TenantTurn, Cap, TenantShare, Chore, Progress, TenantProgress,
    BacklogSample, RefusedDelivery,
)  # fmt: skip
_OWN = (Review, DeadLetter, Attempt, Delivery, Event, Replay, Property)


def empty() -> None:
    """Delete what the engine and the tests' effects have written, in both tenants."""
    connection.set_schema_to_public()
    with connection.cursor() as cursor:
        cursor.execute(_statement())


@cache
def _statement() -> str:
    tables = [f'public."{model._meta.db_table}"' for model in _SHARED]
    tables += [f'{name}."{model._meta.db_table}"' for name in ("acme", "harbor") for model in _OWN]
    deletes = "; ".join(f"DELETE FROM {table}" for table in tables)
    return f"BEGIN; {deletes}; COMMIT"


def forget_alerts() -> None:
    """Take away the arrivals of `delivery.died`: nobody is subscribed, and the model has no alerts."""
    Arrival.objects.filter(type=DIED).delete()
