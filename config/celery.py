"""The Celery application: the hands. What is due lives in PostgreSQL, never in a message."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("pms_events")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["apps.engine"])
