"""Handlers of every kind, each doing what the script in its event says for this run.

Each effect in the database is one row whose ref is unique, so a doubled one cannot hide.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

from apps.properties.models import Property
from pms_events.context import Context
from pms_events.errors import PermanentError
from pms_events.handlers import Effects, OnDead
from pms_events.outcomes import Discard, Outcome, Snooze
from pms_events.retry import Retry
from tests.engine.handlers import handler
from tests.model.ledger import ATTEMPTS

LATER = timedelta(hours=1)
EVERY = "all"
KINDS: dict[str, dict[str, Any]] = {
    "ordered": {},
    "hold": {"on_dead": OnDead.HOLD},
    "loose": {"ordered": False},
    "newest": {"coalesce": True},
    "outside": {"effects": Effects.EXTERNAL},
}


class NotNow(Exception):
    """A failure that asks for a retry so late that none comes by itself."""

    retry_after = LATER


class Stage:
    """Where each delivery stands in its script, and what the outside is told.

    step_of: the number of the step that a run does. tell: takes the delivery that tells the outside.
    """

    def __init__(self, *, step_of: Callable[[Context], int], tell: Callable[[int], object]) -> None:
        self._step_of, self._tell = step_of, tell

    def inside(self, payload: Any, context: Context) -> Outcome:
        """Write a row, or do what else the script says."""
        return self._act(context, lambda: _write(context))

    def outside(self, payload: Any, context: Context) -> Outcome:
        """Tell the outside, or do what else the script says."""
        return self._act(context, lambda: self._tell(context.delivery_id))

    def _act(self, context: Context, effect: Callable[[], object]) -> Outcome:
        """The effect comes before the failure, so that failing has something to undo."""
        script = context.event.data["script"]
        step = script[min(self._step_of(context), len(script) - 1)]
        if step == "snooze":
            return Snooze(LATER)
        if step == "discard":
            return Discard("as the script says")
        effect()
        if step == "fail":
            raise NotNow
        if step == "permanent":
            raise PermanentError("as the script says")
        return None

    @contextmanager
    def on(self) -> Iterator[None]:
        """Have a handler of each kind registered for the block."""
        with ExitStack() as stack:
            for kind, options in KINDS.items():
                act = self.outside if kind == "outside" else self.inside
                stack.enter_context(
                    handler(
                        act,
                        name=f"m.{kind}",
                        types=(f"custom.{kind}", f"custom.{EVERY}"),
                        retry=Retry(attempts=ATTEMPTS),
                        **options,
                    )
                )
            yield


def _write(context: Context) -> None:
    Property.objects.create(ref=str(context.delivery_id), name="effect")
