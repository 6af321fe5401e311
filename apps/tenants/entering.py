"""Entering a tenant: the one place that points the connection at a schema.

`SET search_path` is transactional: set inside a transaction or savepoint, it is undone by its
rollback. So the path is set by a statement of its own when a tenant is entered, outside of any
transaction; django-tenants forgets it after every rollback and sets it again with the next cursor;
and `assert_server_inside` looks at what the server believes before a group of work writes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection as _django_connection

from apps.tenants.models import Tenant

PUBLIC = "public"
connection: Any = _django_connection  # with what django-tenants adds to it


class UnknownTenant(Exception):
    """There is no active tenant of this id or name, so the work was refused and nothing was done."""

    def __init__(self, tenant: object) -> None:
        self.tenant = tenant
        super().__init__(f"tenant {tenant!r} does not exist or is not active: the work was refused")


class WrongSchema(RuntimeError):
    """The connection is in another schema than the work belongs to. Nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRef:
    """A tenant without its row: enough to enter it and to own shared rows."""

    id: int
    schema_name: str


def get_tenant(schema_name: str) -> TenantRef:
    """Look a tenant up by the name of its schema. Raises: UnknownTenant, also for `public`."""
    found = _find(schema_name=schema_name)
    if found is None or found.schema_name == PUBLIC:
        raise UnknownTenant(schema_name)
    return found


def get_tenant_by_id(tenant_id: int) -> TenantRef:
    """Look a tenant up by its id. Raises: UnknownTenant, also for the platform."""
    found = _find(id=tenant_id)
    if found is None or found.schema_name == PUBLIC:
        raise UnknownTenant(tenant_id)
    return found


def get_tenants() -> list[TenantRef]:
    """List the active tenants, without the platform, by schema name."""
    rows = Tenant.objects.filter(is_active=True).exclude(schema_name=PUBLIC)
    return [
        TenantRef(id=pk, schema_name=name)
        for pk, name in rows.order_by("schema_name").values_list("id", "schema_name")
    ]


def _find(**lookup: object) -> TenantRef | None:
    row = Tenant.objects.filter(is_active=True, **lookup).values_list("id", "schema_name").first()
    return TenantRef(id=row[0], schema_name=row[1]) if row else None


def current_schema() -> str:
    """Name the schema that this connection was told to be in."""
    return str(connection.schema_name)


def current_tenant() -> TenantRef:
    """Tell in which tenant this connection is. Raises: UnknownTenant in `public`."""
    tenant = connection.tenant
    if isinstance(tenant, TenantRef | Tenant) and tenant.schema_name != PUBLIC:
        return TenantRef(id=tenant.id, schema_name=tenant.schema_name)
    return get_tenant(current_schema())


@contextmanager
def entering(tenant: TenantRef) -> Iterator[None]:
    """Point this connection at a tenant's schema for the block, then back at where it was.

    Call it outside of a transaction. Raises: WrongSchema for `public`.
    """
    if tenant.schema_name == PUBLIC:
        raise WrongSchema("public is no tenant: work of the platform needs no entering")
    before = connection.tenant
    connection.set_tenant(tenant)
    try:
        yield
    finally:
        connection.set_tenant(before)


def enter_for_request(tenant: Tenant) -> None:
    """Point this connection at a tenant until `leave`: for the edge of a request, which ends so."""
    connection.set_tenant(tenant)


def leave() -> None:
    """Point this connection at the shared schema."""
    connection.set_schema_to_public()


@contextmanager
def entering_public() -> Iterator[None]:
    """Point this connection at the shared schema for the block."""
    before = connection.tenant
    connection.set_schema_to_public()
    try:
        yield
    finally:
        connection.set_tenant(before)


def assert_server_inside(tenant: TenantRef) -> None:
    """Ask the server which schema it is in, before a group of work writes. Raises: WrongSchema."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        actual = cursor.fetchone()[0]
    if actual != tenant.schema_name:
        raise WrongSchema(f"work of {tenant.schema_name} found itself in {actual}: refused")
