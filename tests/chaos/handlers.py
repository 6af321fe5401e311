"""Celery with the handlers of the chaos run: each leaves traces in which no mistake can hide.

`chaos.effect` writes a row into a journal that has no unique constraint: a doubled effect is two rows.
`chaos.outside` posts to the receiver, with the key and the process that sends it.
"""

import os
import sys
from datetime import timedelta
from typing import Any

import requests
from celery.__main__ import main

from config.celery import app
from pms_events.categories import AUTOMATION, MESSAGING
from pms_events.context import Context
from pms_events.errors import PermanentError
from pms_events.handlers import Effects, handles
from pms_events.retry import Retry

RECEIVER = "PMS_CHAOS_RECEIVER"
JOURNAL = """CREATE TABLE IF NOT EXISTS chaos_journal (
    seq bigserial, event_id text, stream text, n int, delivery_id bigint, attempt int)"""
_RETRY = Retry(attempts=60, first=timedelta(seconds=0.2), factor=1.5, ceiling=timedelta(seconds=2))


def register() -> None:
    """Register the handlers; they need the apps to be loaded."""
    from django.db import connection  # noqa: PLC0415 - needs Django's settings

    @handles("custom.step", category=AUTOMATION, name="chaos.effect", retry=_RETRY)
    def effect(event: Any, context: Context) -> None:
        """Write one row. Run twice to the end, there are two."""
        data = context.event.data
        if data["mood"] == "permanent":
            raise PermanentError("this one needs a person")
        if data["mood"] == "stumbles" and context.attempt == 1:
            raise ConnectionError("not the first time")
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO chaos_journal (event_id, stream, n, delivery_id, attempt)"
                " VALUES (%s, %s, %s, %s, %s)",
                [context.event.id, data["stream"], data["n"], context.delivery_id, context.attempt],
            )

    @handles(
        "custom.step", category=MESSAGING, name="chaos.outside", effects=Effects.EXTERNAL,
        retry=_RETRY,
    )  # fmt: skip
    def outside(event: Any, context: Context) -> None:
        """Tell the receiver, under the delivery's key."""
        data = context.event.data
        answer = requests.post(
            os.environ[RECEIVER],
            json={
                "tenant": context.tenant, "event_id": context.event.id, "stream": data["stream"],
                "n": data["n"], "key": context.idempotency_key, "pid": os.getpid(),
            },
            timeout=5,
        )  # fmt: skip
        answer.raise_for_status()


@app.on_after_finalize.connect
def _after(sender: Any, **_: Any) -> None:
    register()


if __name__ == "__main__":
    sys.argv = ["celery", "-A", "config", *sys.argv[1:]]
    main()
