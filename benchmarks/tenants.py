"""The tenants of the benchmarks: the real thing, with the no-op handler and units for bookings."""

from django.core.management import call_command

from apps.tenants.entering import TenantRef, get_tenants
from apps.tenants.provisioning import create_tenant, ensure_platform
from benchmarks import bookings, noop

TENANTS = 10


def make() -> list[TenantRef]:
    """Bring an empty database up to date and make ten tenants."""
    call_command("migrate_schemas", shared=True, verbosity=0)
    ensure_platform(hosts=["localhost", "127.0.0.1"])
    for n in range(TENANTS):
        create_tenant(f"t{n}", name=f"Tenant {n}", host=f"t{n}.localhost")
    noop.register()
    tenants = get_tenants()
    bookings.make_units(tenants)
    return tenants
