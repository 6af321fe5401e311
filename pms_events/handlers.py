"""The registry of handlers: which function reacts to which event types, and how it may be run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pms_events.categories import Category, Priority
from pms_events.context import Context
from pms_events.errors import RegistryError
from pms_events.event_types import Catalogue, catalogue
from pms_events.outcomes import Outcome
from pms_events.patterns import is_pattern, matches
from pms_events.payloads import Payload
from pms_events.retry import Retry

HandlerFunction = Callable[[Any, Context], Outcome]


class Effects(StrEnum):
    """Where a handler's effects land, which decides how it is run.

    DATABASE: in the tenant's schema; effects and settling commit in one transaction, exactly once.
    EXTERNAL: outside; no transaction is open, at least once, the idempotency key tells a repeat.
    """

    DATABASE = "database"
    EXTERNAL = "external"


class OnDead(StrEnum):
    """What a delivery that needs a person does to its stream.

    RELEASE: the next goes on, as if it had ended. HOLD: the stream waits until a person decides;
    for effects that would be wrong without the one before them.
    """

    RELEASE = "release"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A function that reacts to event types.

    name: `<app>.<function>`, stable: deliveries in flight refer to it.
    types: event types or patterns. fan_out: one delivery per subscribed target instead of one.
    ordered: deliveries of one stream run one at a time, in order. on_dead: see `OnDead`.
    coalesce: only the newest of a stream runs; the older ones that wait end as superseded. For
    handlers that state how things are now, whatever happened on the way.
    limit: how long one run may take before it counts as failed.
    """

    name: str
    function: HandlerFunction
    types: tuple[str, ...]
    category: Category
    effects: Effects
    retry: Retry
    ordered: bool = True
    on_dead: OnDead = OnDead.RELEASE
    coalesce: bool = False
    fan_out: bool = False
    priority: Priority | None = None
    limit: timedelta = timedelta(seconds=20)

    def takes(self, event_type: str) -> bool:
        return any(matches(pattern, event_type) for pattern in self.types)


class Handlers:
    """Every handler the program has, by name."""

    def __init__(self) -> None:
        self._by_name: dict[str, Handler] = {}
        self._by_type: dict[str, tuple[Handler, ...]] = {}

    def __iter__(self) -> Iterator[Handler]:
        return iter(self._by_name.values())

    def add(self, handler: Handler) -> None:
        """Take in a handler. Raises: RegistryError when its name is taken or it is malformed."""
        where = f"{handler.function.__module__}.{handler.function.__qualname__}"
        known = self._by_name.get(handler.name)
        if known is not None and known.function is not handler.function:
            other = f"{known.function.__module__}.{known.function.__qualname__}"
            raise RegistryError(f"{where}: handler name '{handler.name}' is taken by {other}")
        if not handler.types:
            raise RegistryError(f"{where}: the handler names no event type")
        for pattern in handler.types:
            if not is_pattern(pattern):
                raise RegistryError(f"{where}: '{pattern}' is no event type or pattern")
        if not handler.ordered and (handler.coalesce or handler.on_dead is OnDead.HOLD):
            raise RegistryError(f"{where}: coalesce and on_dead='hold' need ordered=True")
        self._by_name[handler.name] = handler
        self._by_type.clear()

    def remove(self, name: str) -> None:
        """Forget a handler (tests and benchmarks bring their own and take them away again)."""
        self._by_name.pop(name, None)
        self._by_type.clear()

    def find(self, name: str) -> Handler | None:
        return self._by_name.get(name)

    def of_type(self, event_type: str) -> tuple[Handler, ...]:
        """Give the handlers of an event type, in the order in which they registered."""
        found = self._by_type.get(event_type)
        if found is None:
            found = tuple(h for h in self._by_name.values() if h.takes(event_type))
            self._by_type[event_type] = found
        return found

    def check(self, types: Catalogue) -> None:
        """Raises: RegistryError when a handler waits for a type that no one can publish."""
        for handler in self:
            for pattern in handler.types:
                is_known = types.find(pattern) is not None
                if "*" in pattern:
                    is_known = any(
                        matches(pattern, entry.name) or entry.name == pattern for entry in types
                    )
                if not is_known:
                    raise RegistryError(
                        f"handler '{handler.name}' waits for '{pattern}', "
                        "which is not in the catalogue"
                    )


handlers = Handlers()


def handles(
    *types: type[Payload] | str,
    category: Category,
    effects: Effects = Effects.DATABASE,
    retry: Retry | None = None,
    ordered: bool = True,
    on_dead: OnDead = OnDead.RELEASE,
    coalesce: bool = False,
    fan_out: bool = False,
    priority: Priority | None = None,
    limit: timedelta = timedelta(seconds=20),
    name: str | None = None,
) -> Callable[[HandlerFunction], HandlerFunction]:
    """Register a function as the handler of event types: `function(event, context) -> Outcome`.

    A payload class as type hands the function typed payloads; a pattern such as `"*"` does too,
    of whatever class the event has. The name is `<app>.<function>` unless given.
    """

    def register(function: HandlerFunction) -> HandlerFunction:
        handlers.add(
            Handler(
                name=name or f"{_app_of(function.__module__)}.{function.__name__}",
                function=function,
                types=tuple(t if isinstance(t, str) else catalogue.of(t).name for t in types),
                category=category,
                effects=effects,
                retry=retry or Retry(),
                ordered=ordered,
                on_dead=OnDead(on_dead),
                coalesce=coalesce,
                fan_out=fan_out,
                priority=priority,
                limit=limit,
            )
        )
        return function

    return register


def _app_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if parts[0] == "apps" and len(parts) > 1 else parts[-1]
