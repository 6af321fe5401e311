"""Which workers listen to which queues, asked of the workers themselves over the broker.

They are given a second to answer, so the answer is kept for a while, and shown in a part of the page
that nothing else waits for.
"""

import threading
import time
from dataclasses import dataclass

from celery import current_app
from django.conf import settings
from kombu.exceptions import KombuError, OperationalError
from redis.exceptions import RedisError

_ANSWER_SECONDS = 1.0
_KEPT_SECONDS = 12.0
_lock = threading.Lock()
_kept: "tuple[float, Seen] | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Who listens: workers by queue. `problem` says why nobody could be asked."""

    queues: dict[str, list[str]]
    problem: str = ""

    @property
    def unheard(self) -> list[str]:
        """The queues that nobody listens to."""
        return [] if self.problem else [name for name, who in self.queues.items() if not who]


def see_workers() -> Seen:
    """Ask who listens, at most every 12 seconds a process; whoever comes meanwhile gets the last."""
    global _kept
    kept = _kept
    if kept is not None and (time.monotonic() < kept[0] or _lock.locked()):
        return kept[1]
    with _lock:
        if _kept is None or time.monotonic() >= _kept[0]:
            seen = _ask()
            _kept = (time.monotonic() + _KEPT_SECONDS, seen)
        return _kept[1]


def _ask() -> Seen:
    queues: dict[str, list[str]] = {queue.name: [] for queue in settings.CELERY_TASK_QUEUES}
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
            inspect = current_app.control.inspect(timeout=_ANSWER_SECONDS, connection=broker)
            answers = inspect.active_queues() or {}
    except (OperationalError, KombuError, RedisError, OSError) as error:
        return Seen(queues=queues, problem=f"The broker is away, so nobody can be asked: {error}")
    for worker, listened in sorted(answers.items()):
        for queue in listened:
            queues.setdefault(queue["name"], []).append(worker)
    return Seen(queues=queues)
