"""Which deliveries an event causes: pure, from metadata only."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pms_events.categories import Category, Priority
from pms_events.event_types import Catalogue
from pms_events.handlers import Effects, Handler, Handlers
from pms_events.patterns import matches

UNKNOWN_TYPE = "engine.unknown_type"
"""The handler name under which an event of an unknown type is brought before a person."""

QUANTUM = 20
"""How many deliveries of one tenant make one turn."""

HEAD_START: Mapping[Priority, float] = {
    Priority.P0: 0.0,
    Priority.P1: 1.0,
    Priority.P2: 2.0,
    Priority.P3: 4.0,
    Priority.P4: 8.0,
}
"""How many turns a priority starts behind: urgent overtakes, and nothing waits for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What the router knows of an event. `handlers` and `targets` narrow a replay or correction."""

    type: str
    handlers: Collection[str] | None = None
    target: str | None = None
    include_external: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A target of a fanned-out handler."""

    handler: str
    target: str
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRule:
    """What a tenant decided about a handler for some event types: off, or another priority."""

    pattern: str
    handler: str
    is_on: bool
    priority: Priority | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One delivery to make."""

    handler: str
    target: str
    category: Category
    priority: Priority
    is_ordered: bool


def plan(
    fact: Fact,
    *,
    types: Catalogue,
    registry: Handlers,
    subscriptions: Iterable[Subscription],
    rules: Iterable[RouteRule],
) -> list[Plan]:
    """Decide the deliveries of one event for one tenant. None at all means: done, no route."""
    entry = types.find(fact.type)
    if entry is None:
        return [
            Plan(
                handler=UNKNOWN_TYPE,
                target="",
                category=Category.AUTOMATION,
                priority=Priority.P2,
                is_ordered=False,
            )
        ]
    plans = []
    rules = list(rules)
    for handler in registry.of_type(fact.type):
        if fact.handlers is not None and handler.name not in fact.handlers:
            continue
        if handler.effects is Effects.EXTERNAL and not fact.include_external:
            continue
        rule = _rule(rules, handler, fact.type)
        if rule is not None and not rule.is_on:
            continue
        priority = handler.priority if handler.priority is not None else entry.priority
        if rule is not None and rule.priority is not None:
            priority = rule.priority
        for target in _targets(handler, fact, subscriptions):
            plans.append(
                Plan(
                    handler=handler.name,
                    target=target,
                    category=handler.category,
                    priority=priority,
                    is_ordered=handler.ordered,
                )
            )
    return plans


def _rule(rules: list[RouteRule], handler: Handler, event_type: str) -> RouteRule | None:
    """Find the most specific rule: the longest pattern wins."""
    fitting = [r for r in rules if r.handler == handler.name and matches(r.pattern, event_type)]
    return max(fitting, key=lambda r: len(r.pattern), default=None)


def _targets(handler: Handler, fact: Fact, subscriptions: Iterable[Subscription]) -> list[str]:
    if not handler.fan_out:
        return [""]
    if fact.target:
        return [fact.target]
    found = {
        s.target: None
        for s in subscriptions
        if s.handler == handler.name and matches(s.pattern, fact.type)
    }
    return list(found)
