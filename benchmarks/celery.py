"""Celery with the no-op handler of the benchmarks: `python -m benchmarks.celery …`."""

import sys
from typing import Any

from celery.__main__ import main

from benchmarks.noop import register
from config.celery import app


@app.on_after_finalize.connect
def _after(sender: Any, **_: Any) -> None:
    register()


if __name__ == "__main__":
    sys.argv[0] = "celery"
    main()
