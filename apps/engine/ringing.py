"""Doorbells as Celery messages."""

from typing import Any

from celery import current_app
from kombu.exceptions import KombuError, OperationalError
from redis.exceptions import RedisError

from apps.dispatch.doorbells import ROUTE
from apps.dispatch.models import Chore
from pms_events.categories import Category

_EXPIRES = 60
"""Seconds after which an unheard doorbell is worthless: the sweep has rung again since."""

_CONFIRM = 3
"""Seconds that RabbitMQ has to confirm one; Redis has its socket's timeout (settings)."""


def send_doorbell(name: str) -> None:
    """Send one doorbell, without waiting for a broker that is away.

    Raises: OSError when the broker cannot be reached.
    """
    if name == ROUTE:
        _send("engine.route", queue="events.route")
    else:
        _send("engine.work", name, queue=Category(name).queue)


def send_chore(chore: Chore) -> None:
    """Send the next step of an operator task. A lost one is sent again by the next sweep.

    Raises: OSError when the broker cannot be reached.
    """
    _send(f"chores.{chore.kind}", chore.tenant_id, chore.ref, queue="events.chores")


def _send(task: str, *arguments: Any, queue: str) -> None:
    """Raises: OSError; also when the broker takes the message and never says so."""
    try:
        with current_app.producer_pool.acquire(block=True) as producer:
            try:
                current_app.send_task(
                    task,
                    args=arguments,
                    queue=queue,
                    expires=_EXPIRES,
                    retry=False,
                    confirm_timeout=_CONFIRM,
                    producer=producer,
                )
            except (OperationalError, KombuError, OSError):
                # Closing politely would wait for the broker's word, and for ever.
                producer.connection.collect(socket_timeout=_CONFIRM)
                raise
    except (OperationalError, KombuError, RedisError) as error:
        raise ConnectionError(f"broker unavailable: {error}") from error
