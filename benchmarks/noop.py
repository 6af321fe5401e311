"""The handler that does nothing: what is left is the cost of the pipeline."""

from typing import Any

from pms_events.categories import AUTOMATION
from pms_events.context import Context
from pms_events.handlers import handles


def register() -> None:
    """Make the no-op the handler of `custom.*`; needs the catalogue to be loaded."""

    @handles("custom.*", category=AUTOMATION, name="bench.noop")
    def noop(event: Any, context: Context) -> None:
        """Do nothing. Safe to run twice."""
