"""Fixtures that all tests share: two tenants in an emptied database, and the engine by hand."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from apps.dispatch.clocks import forget_clocks
from apps.dispatch.models import PendingDelivery, State
from apps.engine import router, working
from apps.tenants.entering import TenantRef, get_tenant
from apps.tenants.keys import create_key
from apps.tenants.models import Tenant
from apps.tenants.provisioning import create_tenant, ensure_platform
from pms_events.categories import Category
from tests.embedded import is_on_rabbitmq
from tests.processes import free_port, start_web
from tests.stack.rabbitmq import server_program

KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}
KEPT_SHARED = KEPT_TABLES | {"tenants_tenant", "tenants_domain"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say so when the run is to use RabbitMQ and there is none."""
    if is_on_rabbitmq() and server_program() is None:
        reason = "RabbitMQ is not installed (Debian: apt-get install rabbitmq-server)"
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Make the schemas once: shared, `acme` and `harbor`. The database itself is the run's own."""
    with django_db_blocker.unblock():
        call_command("migrate_schemas", shared=True, verbosity=0)
        ensure_platform(hosts=["platform.localhost", "localhost", "127.0.0.1"])
        for name in ("acme", "harbor"):
            create_tenant(name, name=name.title(), host=f"{name}.localhost")
        _delete_statement.append(_write_delete_statement())
    yield
    with django_db_blocker.unblock():
        connection.close()


_delete_statement: list[str] = []


def _write_delete_statement() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname, tablename FROM pg_tables"
            " WHERE schemaname IN ('public', 'acme', 'harbor') ORDER BY 1, 2"
        )
        tables = cursor.fetchall()
    deletes = [
        f'DELETE FROM "{schema}"."{table}"'
        for schema, table in tables
        if table not in (KEPT_SHARED if schema == "public" else KEPT_TABLES)
    ]
    return "; ".join(["SET session_replication_role = replica", *deletes, "RESET ALL"])


@pytest.fixture
def database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Open the database for the test, emptied; what the test commits stays until the next one."""
    with django_db_blocker.unblock():
        connection.close()
        connection.set_schema_to_public()
        with connection.cursor() as cursor:
            cursor.execute(_delete_statement[0])
        connection.close()
        cache.clear()
        forget_clocks()
        yield
        connection.set_schema_to_public()


@pytest.fixture
def acme(database: None) -> TenantRef:
    """A tenant, its tables empty."""
    return get_tenant("acme")


@pytest.fixture
def harbor(database: None) -> TenantRef:
    """Another tenant, its tables empty."""
    return get_tenant("harbor")


@pytest.fixture
def key_of() -> Callable[..., str]:
    """Make an API key for a tenant: `key_of(acme, scopes=[…])` gives its text."""

    def make(tenant: TenantRef, *, scopes: list[str] | None = None) -> str:
        row = Tenant.objects.get(id=tenant.id)
        return create_key(row, name="test", scopes=scopes).text

    return make


@pytest.fixture
def run_all(database: None) -> Callable[..., int]:
    """Route and work in this process until nothing is left to do; gives the settled deliveries.

    `also_scheduled=True` runs retries as if their time had come.
    """

    def run(*, also_scheduled: bool = False) -> int:
        settled = 0
        while True:
            moved = router.route() or 0
            if also_scheduled:
                PendingDelivery.objects.filter(state=State.SCHEDULED).update(
                    state=State.READY, due_at=None
                )
            for category in Category:
                tally, _ = working.work(category.value)
                moved += tally.moved
                settled += tally.moved - tally.retried
            if not moved:
                return settled

    return run


@pytest.fixture(scope="session")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real gunicorn on the test database; gives its base URL, on a host of the platform."""
    port = free_port()
    process = start_web(tmp_path_factory.mktemp("web") / "web.log", port=port)
    yield f"http://127.0.0.1:{port}"
    process.kill()


class Api:
    """A client of one tenant's API, over the socket, on the tenant's host."""

    def __init__(self, base_url: str, tenant: TenantRef, key: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {key}"
        self.session.headers["Host"] = f"{tenant.schema_name}.localhost"

    def get(self, path: str, **parameters: Any) -> requests.Response:
        return self.session.get(f"{self.base_url}/api/v1/{path}", params=parameters, timeout=30)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        if body is not None:
            options["json"] = body
        return self.session.post(f"{self.base_url}/api/v1/{path}", timeout=30, **options)

    def delete(self, path: str) -> requests.Response:
        return self.session.delete(f"{self.base_url}/api/v1/{path}", timeout=30)

    def patch(self, path: str, body: Any) -> requests.Response:
        return self.session.patch(f"{self.base_url}/api/v1/{path}", json=body, timeout=30)


@pytest.fixture
def api_of(web: str, key_of: Callable[..., str]) -> Callable[..., Api]:
    """Make an API client for a tenant: `api_of(acme)`."""

    def make(tenant: TenantRef, *, scopes: list[str] | None = None) -> Api:
        return Api(web, tenant, key_of(tenant, scopes=scopes))

    return make
