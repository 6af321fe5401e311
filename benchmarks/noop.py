"""The handlers of the benchmarks: one that does nothing, one whose partner never answers."""

import os
from typing import Any

import requests

from pms_events.categories import AUTOMATION, MESSAGING
from pms_events.context import Context
from pms_events.handlers import Effects, handles

SILENT_URL = "BENCH_SILENT_URL"
"""Environment variable: an address that takes connections and never answers."""


def register() -> None:
    """Make them the handlers of two types of `custom.*`; needs the catalogue to be loaded."""

    @handles("custom.bench", category=AUTOMATION, name="bench.noop")
    def noop(event: Any, context: Context) -> None:
        """Do nothing. Safe to run twice."""

    @handles(
        "custom.hang",
        category=MESSAGING,
        effects=Effects.EXTERNAL,
        name="bench.hang",
        ordered=False,
    )
    def hang(event: Any, context: Context) -> None:
        """Wait for a partner that does not answer, until the usual time is over."""
        requests.get(os.environ[SILENT_URL], timeout=10)
