"""The Celery application: the hands. What is due lives in PostgreSQL, never in a message."""

import gc
import os
from typing import Any

from celery import Celery
from celery.signals import (
    celeryd_after_setup,
    setup_logging,
    task_prerun,
    worker_init,
    worker_shutting_down,
)
from django.db import close_old_connections

from apps.engine import stopping
from config import valkey

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

valkey.install()

# Celery closes the database connection before and after each task, which costs a doorbell more than
# its work does. It is kept instead, and looked at before each task.
app = Celery("pms_events", changes={"CELERY_DB_REUSE_MAX": 10_000})
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["apps.engine"])


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Keep Django's LOGGING: with a receiver here, Celery sets up none of its own."""


@task_prerun.connect
def _check_connections(**_: Any) -> None:
    """Let go of a connection that is broken or old; Django looks at it again with the next query."""
    close_old_connections()


@celeryd_after_setup.connect
def _share_memory(**_: Any) -> None:
    """The last moment before the children are forked: what is loaded stays shared with them.

    The garbage collector would write into every page of it otherwise.
    """
    gc.collect()
    gc.freeze()


@worker_init.connect
def _begin(**_: Any) -> None:
    stopping.go_on()


@worker_shutting_down.connect
def _give_back(**_: Any) -> None:
    """The worker is told to stop: its children give back what they have not started."""
    stopping.stop_everybody()
