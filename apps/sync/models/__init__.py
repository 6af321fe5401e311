"""The tables of outside systems. Change them through operations only."""

from apps.sync.models.connections import Connection, Reception
from apps.sync.models.endpoints import Endpoint, Exchange, all_events

__all__ = ["Connection", "Endpoint", "Exchange", "Reception", "all_events"]
