"""How a connection does, in a word for programs and a few for people."""

from dataclasses import dataclass
from enum import StrEnum

from apps.sync.models import Connection


class State(StrEnum):
    """How a connection does."""

    DISABLED = "disabled"
    SILENT = "silent"
    REFUSED = "refused"
    NEW = "new"
    HEARD = "heard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A state, what to say about it, and its tone: good, notice, warning or danger."""

    state: State
    said: str
    tone: str


def get_health(connection: Connection) -> Health:
    """Tell how a connection does: the worst that is true of it."""
    if not connection.is_enabled:
        return Health(
            state=State.DISABLED, said="disabled: what comes waits for a person", tone="warning"
        )
    if connection.silent_since is not None:
        return Health(state=State.SILENT, said="silent", tone="danger")
    if _is_refused(connection):
        count = connection.refused_count
        times = "once" if count == 1 else f"{count} times so far"
        return Health(
            state=State.REFUSED, said=f"refused {times}: is its secret right?", tone="danger"
        )
    if connection.last_received_at is None:
        return Health(state=State.NEW, said="nothing received yet", tone="notice")
    return Health(state=State.HEARD, said=f"{connection.received_count} received", tone="good")


def _is_refused(connection: Connection) -> bool:
    """Whether the newest request was refused, so that the sender is at a loss now."""
    refused, received = connection.last_refused_at, connection.last_received_at
    return refused is not None and (received is None or refused > received)
