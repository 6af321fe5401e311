"""The Celery application: the hands. What is due lives in PostgreSQL, never in a message."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("pms_events")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["apps.engine"])


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Keep Django's LOGGING: with a receiver here, Celery sets up none of its own."""
