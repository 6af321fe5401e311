"""The shared tables of what is due."""

from apps.dispatch.models.decided import (
    Cap,
    Route,
    TargetSubscription,
    TenantShare,
    validate_pattern,
)
from apps.dispatch.models.hot import Arrival, Lane, PendingDelivery, State, TenantTurn
from apps.dispatch.models.watched import (
    BacklogSample,
    Chore,
    Progress,
    Pulse,
    RefusedDelivery,
    TenantProgress,
)

__all__ = [
    "Arrival",
    "BacklogSample",
    "Cap",
    "Chore",
    "Lane",
    "PendingDelivery",
    "Progress",
    "Pulse",
    "RefusedDelivery",
    "Route",
    "State",
    "TargetSubscription",
    "TenantProgress",
    "TenantShare",
    "TenantTurn",
    "validate_pattern",
]
