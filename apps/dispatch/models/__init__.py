"""The shared tables of what is due."""

from apps.dispatch.models.decided import (
    Cap,
    Route,
    TargetSubscription,
    TenantShare,
    validate_pattern,
)
from apps.dispatch.models.hot import Arrival, Lane, PendingDelivery, State, TenantTurn
from apps.dispatch.models.watched import Chore, Progress, Pulse, RefusedDelivery

__all__ = [
    "Arrival",
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
    "TenantShare",
    "TenantTurn",
    "validate_pattern",
]
