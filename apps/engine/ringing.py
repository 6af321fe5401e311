"""Doorbells as Celery messages."""

from celery import current_app
from kombu.exceptions import KombuError, OperationalError
from redis.exceptions import RedisError

from apps.dispatch.doorbells import ROUTE
from apps.dispatch.models import Chore
from pms_events.categories import Category

_EXPIRES = 60
"""Seconds after which an unheard doorbell is worthless: the sweep has rung again since."""


def send_doorbell(name: str) -> None:
    """Send one doorbell, without waiting for a broker that is away.

    Raises: OSError when the broker cannot be reached.
    """
    try:
        if name == ROUTE:
            current_app.send_task(
                "engine.route", queue="events.route", expires=_EXPIRES, retry=False
            )
        else:
            current_app.send_task(
                "engine.work",
                args=[name],
                queue=Category(name).queue,
                expires=_EXPIRES,
                retry=False,
            )
    except (OperationalError, KombuError, RedisError) as error:
        raise ConnectionError(f"broker unavailable: {error}") from error


def send_chore(chore: Chore) -> None:
    """Send the next step of an operator task. A lost one is sent again by the next sweep.

    Raises: OSError when the broker cannot be reached.
    """
    try:
        current_app.send_task(
            f"chores.{chore.kind}",
            args=[chore.tenant_id, chore.ref],
            queue="events.chores",
            expires=_EXPIRES,
            retry=False,
        )
    except (OperationalError, KombuError, RedisError) as error:
        raise ConnectionError(f"broker unavailable: {error}") from error
