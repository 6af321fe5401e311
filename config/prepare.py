"""Bring the schemas up to date and make what a try-out needs; prints it as JSON.

Run as `python -m config.prepare` with the demo's file as argument, in a process of its own, because
it sets Django up.
"""

import json
import secrets
import sys
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

PLATFORM_HOSTS = ["platform.localhost", "localhost", "127.0.0.1"]
TENANTS = {"acme": "Acme Stays", "harbor": "Harbor House"}


def prepare(kept: dict[str, Any]) -> dict[str, Any]:
    """Migrate, make the platform and two tenants, their people and keys; what is kept stays."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - needs django.setup()

    from apps.tenants.entering import entering, get_tenant  # noqa: PLC0415
    from apps.tenants.keys import create_key  # noqa: PLC0415
    from apps.tenants.models import Tenant  # noqa: PLC0415
    from apps.tenants.provisioning import create_tenant, ensure_platform  # noqa: PLC0415

    def login(known: dict[str, Any]) -> dict[str, str]:
        users = get_user_model().objects
        password = known.get("password") or secrets.token_urlsafe(9)
        user, _ = users.get_or_create(username="admin", defaults={"email": "admin@localhost"})
        if not user.check_password(password):
            user.set_password(password)
        user.is_staff = user.is_superuser = True
        user.save()
        return {"username": "admin", "password": password}

    migrate()
    ensure_platform(hosts=PLATFORM_HOSTS)
    made: dict[str, Any] = {
        "platform": {"host": PLATFORM_HOSTS[0], **login(kept.get("platform", {}))},
        "tenants": {},
    }
    for schema, name in TENANTS.items():
        host = f"{schema}.localhost"
        tenant = Tenant.objects.filter(schema_name=schema).first() or create_tenant(
            schema, name=name, host=host
        )
        known = kept.get("tenants", {}).get(schema, {})
        key = known.get("api_key")
        if not key or not tenant.api_keys.filter(prefix=key.split("_")[1]).exists():
            key = create_key(tenant, name="demo").text
        with entering(get_tenant(schema)):
            made["tenants"][schema] = {"host": host, "api_key": key, **login(known)}
    return made


def migrate() -> None:
    """Apply missing migrations, first to the shared schema, then to each tenant's."""
    from apps.tenants.entering import entering, get_tenants  # noqa: PLC0415 - needs django.setup()

    if _is_missing():
        call_command("migrate_schemas", shared=True, verbosity=0)
    for tenant in get_tenants():
        with entering(tenant):
            missing = _is_missing()
        if missing:
            call_command("migrate_schemas", schema_name=tenant.schema_name, verbosity=0)


def _is_missing() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def main(path: Path) -> None:
    kept = json.loads(path.read_text()) if path.exists() else {}
    django.setup()
    print(json.dumps(prepare(kept)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
