"""Celery with a task that does nothing, on the same broker: no event, no row, no tenant, no retry."""

import os
import time

import redis
from celery import Celery

QUEUE = "raw"
_LIMIT_SECONDS = 120
app = Celery("raw", broker=os.environ["CELERY_BROKER_URL"])
app.conf.update(task_ignore_result=True, task_default_queue=QUEUE)


@app.task
def noop() -> None:
    """Do nothing."""


def tasks_per_second(count: int) -> float:
    """Send tasks one by one, wait until none is left; tasks a second. Raises: TimeoutError."""
    with redis.Redis.from_url(os.environ["CELERY_BROKER_URL"]) as broker:
        broker.delete("unacked", "unacked_index")  # of a worker before that had to be killed
        started = time.perf_counter()
        for _ in range(count):
            noop.delay()
        while broker.llen(QUEUE) or broker.hlen("unacked"):
            if time.perf_counter() - started > _LIMIT_SECONDS:
                raise TimeoutError(f"{count} tasks were not done within {_LIMIT_SECONDS} s")
            time.sleep(0.005)
        return count / (time.perf_counter() - started)


def count_run() -> int:
    """Count the tasks that the running workers have run since their start."""
    stats = app.control.inspect(timeout=3).stats() or {}
    return sum(sum(worker["total"].values()) for worker in stats.values())
