"""What is looked at in every tenant every few minutes: what no event tells, such as silence.

An app registers a check; the engine makes the round (`apps/engine/rounds.py`). Where an event can tell,
a handler is the better place: a round costs each tenant its turn, whether there is something or not.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from pms_events.errors import RegistryError

Check = Callable[[datetime], None]
"""Takes the time of the round, in the current tenant and a transaction of its own."""

_checks: dict[str, Check] = {}


def each_round(check: Check) -> Check:
    """Register a check for every round. Write it so that it may run twice, or a round be missed.

    Raises: RegistryError when another check has its name.
    """
    name = f"{check.__module__}.{check.__qualname__}"
    if name in _checks:
        raise RegistryError(f"the check {name} is registered twice")
    _checks[name] = check
    return check


def checks() -> Iterator[tuple[str, Check]]:
    """Give each registered check with its name, in a fixed order."""
    yield from sorted(_checks.items())
