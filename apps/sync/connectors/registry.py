"""Which connectors there are: one file each beside this one, found by being there."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from apps.sync import connectors
from pms_events.errors import PermanentError, RegistryError


class NotAuthentic(Exception):
    """A request is not proven to come from the sender; the message says what is missing or wrong."""


class UnknownConnector(PermanentError):
    """The connector of a connection is not part of this program (any more)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What an outside sender posted, as it came. Names of headers are in lower case."""

    headers: Mapping[str, str]
    body: bytes


class Authenticate(Protocol):
    """Checks the raw request; no secrets means that the token alone is proof. Raises: NotAuthentic."""

    def __call__(self, received: Received, *, secrets: Sequence[str], now: datetime) -> None: ...


class Read(Protocol):
    """Gives the events of a body as CloudEvents objects, not checked yet. Raises: Unreadable.

    `source` is what events are to name that bring no source of their own.
    """

    def __call__(self, received: Received, *, source: str) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """How to understand one kind of outside sender.

    `identify` names a delivery: what has the same name is stored once. It gets any bytes at all, must
    not raise, and takes no longer than hashing them. `kept_headers` are stored with the body, besides
    the content type; none that carries a secret.
    """

    name: str
    title: str
    authenticate: Authenticate
    identify: Callable[[Received], str]
    read: Read
    kept_headers: Callable[[str], bool]


_connectors: dict[str, Connector] = {}


def register(connector: Connector) -> Connector:
    """Take a connector in. Raises: RegistryError when its name is taken."""
    if connector.name in _connectors:
        raise RegistryError(f"the connector '{connector.name}' is registered twice")
    _connectors[connector.name] = connector
    return connector


def load_connectors() -> None:
    """Import every file of the folder, at start-up; each registers its connector, if it has one."""
    for module in pkgutil.iter_modules(connectors.__path__):
        importlib.import_module(f"{connectors.__name__}.{module.name}")


def list_connectors() -> list[Connector]:
    """Give all connectors, by name."""
    return sorted(_connectors.values(), key=lambda connector: connector.name)


def get_connector(name: str) -> Connector:
    """Find a connector. Raises: UnknownConnector."""
    found = _connectors.get(name)
    if found is None:
        raise UnknownConnector(
            f"no connector is named '{name}': bring back apps/sync/connectors/{name}.py, then retry"
        )
    return found
