"""Servers for the test run, started before Django reads its settings (`-p tests.embedded`).

One PostgreSQL and one Valkey for the run; one database of each a pytest process. With
PMS_TEST_BROKER=rabbitmq the broker is a RabbitMQ of the run's own, and Valkey the cache alone.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

from config.servers import start_servers
from tests.stack.rabbitmq import RabbitMq, server_program

BROKER = "PMS_TEST_BROKER"
_ADMIN = "PMS_TEST_ADMIN_URL"


def _start() -> None:
    os.environ.setdefault("DJANGO_DEBUG", "1")
    os.environ.setdefault("PMS_LOG_LEVEL", "WARNING")
    if _ADMIN not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="pms-tests-"))
        servers = start_servers(folder)
        os.environ[_ADMIN] = servers.database_url
        os.environ["CELERY_BROKER_URL"] = servers.broker_url
        os.environ["PMS_VAR_DIR"] = str(folder / "var")
        (folder / "var").mkdir()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        atexit.register(servers.stop)
        if is_on_rabbitmq() and server_program() is not None:
            rabbitmq = RabbitMq(folder / "rabbitmq")
            atexit.register(rabbitmq.stop)
            os.environ["CELERY_BROKER_URL"] = rabbitmq.url
            os.environ["CACHE_URL"] = servers.broker_url
    os.environ["DATABASE_URL"] = _own_database(os.environ[_ADMIN])
    if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and not is_on_rabbitmq():
        _use_own_valkey_database(int(worker.removeprefix("gw")) + 1)


def is_on_rabbitmq() -> bool:
    """Tell whether this run is to use RabbitMQ as its broker."""
    return os.environ.get(BROKER) == "rabbitmq"


def _own_database(admin_url: str) -> str:
    name = f"pms_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    connection = psycopg2.connect(admin_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        quoted = sql.Identifier(name)
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(quoted))
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(quoted))
    connection.close()
    parts = urlsplit(admin_url)
    return urlunsplit(parts._replace(path=f"/{name}"))


def _use_own_valkey_database(number: int) -> None:
    parts = urlsplit(os.environ["CELERY_BROKER_URL"])
    os.environ["CELERY_BROKER_URL"] = urlunsplit(parts._replace(path=f"/{number}"))


_start()
