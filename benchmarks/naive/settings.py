"""The naive program's settings: plain Django on plain PostgreSQL."""

import os
from urllib.parse import parse_qs, urlsplit

_url = urlsplit(os.environ["NAIVE_DATABASE_URL"])

SECRET_KEY = "naive"
INSTALLED_APPS = ["benchmarks.naive"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _url.path.lstrip("/"),
        "USER": "postgres",
        "HOST": parse_qs(_url.query)["host"][0],
        "CONN_MAX_AGE": 600,
    }
}
CELERY_BROKER_URL = os.environ["CELERY_BROKER_URL"]
CELERY_TASK_DEFAULT_QUEUE = "naive"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
