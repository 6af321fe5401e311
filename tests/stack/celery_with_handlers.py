"""Celery with the handlers that tests of real processes need.

`custom.slow_effect` writes a row, tells the test by a file, and stays a while, so that the test can
kill the worker between effect and settling. `custom.poison` kills its process.
"""

import os
import sys
import threading
from pathlib import Path
from typing import Any

from celery.__main__ import main
from celery.signals import worker_ready

from config.celery import app
from pms_events.categories import AUTOMATION
from pms_events.context import Context
from pms_events.handlers import handles

ONCE = "PMS_TEST_SLOW_ONCE"
SECONDS = "PMS_TEST_SLOW_SECONDS"


def register() -> None:
    """Register the handlers; they need the apps to be loaded."""
    from apps.properties.models import Property  # noqa: PLC0415 - needs Django's apps

    @handles("custom.*", category=AUTOMATION, name="test.effect", ordered=False)
    def effect(event: Any, context: Context) -> None:
        """Write one row an event. Run twice to the end, the second fails on the unique ref."""
        if context.event.type == "custom.poison":
            os._exit(9)
        if context.event.type == "custom.harmless":
            return
        Property.objects.create(ref=context.event.id, name="effect")
        marker = os.environ.get(ONCE)
        if context.event.type == "custom.slow_effect" and marker and not Path(marker).exists():
            Path(marker).touch()
            threading.Event().wait(float(os.environ.get(SECONDS, "15")))


@app.on_after_finalize.connect
def _after(sender: Any, **_: Any) -> None:
    register()


@worker_ready.connect
def _say_ready(**_: Any) -> None:
    print("the worker is ready", flush=True)


if __name__ == "__main__":
    sys.argv = ["celery", "-A", "config", *sys.argv[1:]]
    main()
