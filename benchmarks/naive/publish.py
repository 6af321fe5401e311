"""The naive program's publisher: `python -m benchmarks.naive.publish RUN COUNT` prints events/s."""

import sys
import time

import django
from django.core.management import call_command
from django.db import connection


def main(run: str, count: int) -> None:
    """Store and send `count` events, wait until all are processed, print the rate."""
    django.setup()
    from benchmarks.naive.models import NaiveEvent  # noqa: PLC0415 - needs django.setup()
    from benchmarks.naive.tasks import process  # noqa: PLC0415

    if NaiveEvent._meta.db_table not in connection.introspection.table_names():
        call_command("migrate", run_syncdb=True, verbosity=0)
    if count == 0:
        return
    started = time.perf_counter()
    for n in range(count):
        event = NaiveEvent.objects.create(
            event_id=f"{run}-{n}",
            type="custom.bench",
            subject=f"s{n}",
            data={"n": n, "unit": "seaview-101", "note": "a payload of a usual size" * 4},
        )
        process.delay(event.pk)
    while NaiveEvent.objects.filter(status="new").exists():
        time.sleep(0.01)
    print(count / (time.perf_counter() - started))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
