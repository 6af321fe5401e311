"""Making a tenant ready: its row, its schema with all tables, its host."""

import logging

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import transaction
from django_tenants.utils import schema_exists

from apps.tenants.entering import PUBLIC, entering_public
from apps.tenants.models import Domain, Tenant

log = logging.getLogger(__name__)

_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
HOST_NAME = RegexValidator(
    rf"\A(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*\Z",
    "A host name has lower-case letters, digits, - and dots, such as acme.pms.example.",
)
"""As requests name it: another could never be reached."""


class TenantExists(ValueError):
    """A tenant of this name, or one with this host, is there already."""


def create_tenant(schema_name: str, *, name: str, host: str) -> Tenant:
    """Create a tenant with its schema and host, in one transaction: whole or not at all.

    Raises: ValidationError for a bad name, TenantExists.
    """
    tenant = Tenant(schema_name=schema_name, name=name)
    with entering_public(), transaction.atomic():
        if Tenant.objects.filter(schema_name=schema_name).exists():
            raise TenantExists(f"tenant '{schema_name}' exists already")
        if Domain.objects.filter(domain=host).exists():
            raise TenantExists(f"host '{host}' belongs to another tenant already")
        if schema_name in (PUBLIC, "information_schema") or schema_name.startswith("pg_"):
            raise ValidationError(f"'{schema_name}' is reserved by PostgreSQL: choose another name")
        tenant.full_clean(exclude=["id"])
        HOST_NAME(host)
        if schema_exists(schema_name):
            raise TenantExists(f"a schema '{schema_name}' is in the database, and is no tenant's")
        tenant.save()
        tenant.create_schema(check_if_exists=True, verbosity=0)
        Domain.objects.create(domain=host, tenant=tenant, is_primary=True)
    log.info("tenant created", extra={"tenant": schema_name, "host": host})
    return tenant


def ensure_platform(*, hosts: list[str]) -> Tenant:
    """Make sure that the platform's own row and hosts exist; the schema `public` always does."""
    with entering_public():
        platform, _ = Tenant.objects.get_or_create(
            schema_name=PUBLIC, defaults={"name": "Platform"}
        )
        for host in hosts:
            Domain.objects.get_or_create(
                domain=host, defaults={"tenant": platform, "is_primary": host == hosts[0]}
            )
    return platform
