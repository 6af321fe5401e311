"""Handlers that tests bring along and take away: they record what ran in the real event log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pms_events.categories import Category
from pms_events.context import Context
from pms_events.handlers import Effects, Handler, HandlerFunction, handlers
from pms_events.outcomes import Outcome
from pms_events.retry import Retry


@contextmanager
def handler(
    function: HandlerFunction | None = None,
    *,
    types: tuple[str, ...] = ("custom.*",),
    name: str = "test.handler",
    category: Category = Category.AUTOMATION,
    effects: Effects = Effects.DATABASE,
    retry: Retry | None = None,
    **options: Any,
) -> Iterator[list[Context]]:
    """Register a handler for the block; gives the contexts of its runs, in order."""
    seen: list[Context] = []

    def run(payload: Any, context: Context) -> Outcome:
        seen.append(context)
        return function(payload, context) if function else None

    handlers.add(
        Handler(
            name=name,
            function=run,
            types=types,
            category=category,
            effects=effects,
            retry=retry or Retry(),
            **options,
        )
    )
    try:
        yield seen
    finally:
        handlers.remove(name)


def failing(times: int, error: Callable[[], Exception]) -> HandlerFunction:
    """Make a handler function that raises on its first runs, then succeeds."""
    runs = []

    def run(payload: Any, context: Context) -> Outcome:
        runs.append(context.attempt)
        if len(runs) <= times:
            raise error()
        return None

    return run
