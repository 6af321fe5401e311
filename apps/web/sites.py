"""How a tenant's pages are reached from outside: for links in what is sent to people."""

from dataclasses import dataclass

from django.conf import settings

from apps.tenants.entering import current_tenant
from apps.tenants.models import Domain, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A tenant's name, and where its pages are: "https://acme.pms.example", "" without a host."""

    name: str
    base: str

    def link(self, path: str) -> str:
        """Give the address of a page, "" when the tenant has no host."""
        return f"{self.base}{path}" if self.base else ""


def current_site() -> Site:
    """Look up the site of the current tenant: its primary host, by PUBLIC_URL. Two queries."""
    tenant = current_tenant()
    name = Tenant.objects.values_list("name", flat=True).get(id=tenant.id)
    hosts = Domain.objects.filter(tenant_id=tenant.id, is_primary=True)
    host = hosts.values_list("domain", flat=True).first()
    return Site(name=name, base=settings.PUBLIC_URL.replace("{host}", host) if host else "")
