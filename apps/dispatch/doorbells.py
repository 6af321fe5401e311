"""Doorbells: "there is work", said to a queue. A lost or doubled one costs latency, nothing else.

Who carries them is bound at start-up (`apps.engine`), so that only the engine knows Celery.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from django.core.cache import cache
from django.db import connection, transaction
from redis.exceptions import RedisError

from pms_events.categories import Category

log = logging.getLogger(__name__)

ROUTE = "route"
_COALESCE_SECONDS = 2
_PAUSE_SECONDS = 5.0

Sender = Callable[[str], None]
"""Sends one doorbell. Raises: OSError when the broker cannot be reached."""

_send: Sender | None = None
_quiet_until = 0.0


def bind(sender: Sender) -> None:
    """Set who carries doorbells. Called once, by the start-up of the program."""
    global _send
    _send = sender


def ring_router_on_commit() -> None:
    """Ring the router when the transaction commits; once, however often it is asked for."""
    stack = set(connection.savepoint_ids)
    for entry in connection.run_on_commit:
        sids, callback = entry[0], entry[1]
        # One that stands below the same savepoints is undone only when ours would be, too.
        if callback is _ring_router and sids <= stack:
            return
    transaction.on_commit(_ring_router)


def _ring_router() -> None:
    ring(ROUTE)


def ring_on_commit(names: Iterable[str]) -> None:
    """Ring for each of these categories when the transaction commits."""
    for name in set(names):
        transaction.on_commit(partial(ring, name))


def ring(name: str, *, insist: bool = False) -> None:
    """Ring for a category, or `ROUTE`. Never fails: what is not heard, the sweep finds.

    Within two seconds one doorbell is enough, unless `insist`ed. After a failure, this process
    keeps quiet for some seconds, so that a dead broker does not slow every request down; the sweep,
    which the broker carries too, finds the work a second after it is back.
    """
    global _quiet_until
    if _send is None or time.monotonic() < _quiet_until:
        return
    try:
        if not insist and not cache.add(_key(name), 1, _COALESCE_SECONDS):
            return
    except (OSError, RedisError) as error:
        log.warning("doorbell cache unavailable", extra={"doorbell": name, "error": str(error)})
    try:
        _send(name)
    except OSError as error:
        _quiet_until = time.monotonic() + _PAUSE_SECONDS
        log.warning("doorbell not sent", extra={"doorbell": name, "error": str(error)})


def heard(name: str) -> None:
    """Say that work begins, so that whatever comes from now on rings again."""
    try:
        cache.delete(_key(name))
    except (OSError, RedisError) as error:
        log.warning("doorbell cache unavailable", extra={"doorbell": name, "error": str(error)})


@contextmanager
def about_to_look(name: str) -> Iterator[None]:
    """Keep others from ringing for the block, after which we look ourselves.

    Whoever dies in it leaves a doorbell that is taken for rung; the sweep insists within a second.
    """
    try:
        cache.set(_key(name), 1, _COALESCE_SECONDS)
    except (OSError, RedisError) as error:
        log.warning("doorbell cache unavailable", extra={"doorbell": name, "error": str(error)})
    yield
    heard(name)


def _key(name: str) -> str:
    return f"doorbell:{name}"


CATEGORIES = tuple(category.value for category in Category)
