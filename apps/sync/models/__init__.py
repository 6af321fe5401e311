"""The tables of outside systems. Change them through operations only."""

from apps.sync.models.connections import Connection, Reception
from apps.sync.models.endpoints import NOT_TAKEN, Endpoint, Exchange, all_events

__all__ = ["NOT_TAKEN", "Connection", "Endpoint", "Exchange", "Reception", "all_events"]
