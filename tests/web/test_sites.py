"""Where a tenant's pages are, seen from outside."""

from django.db import transaction
from pytest_django.fixtures import Settings

from apps.tenants.entering import TenantRef, entering
from apps.tenants.models import Domain
from apps.web.sites import current_site


def test_each_tenant_has_its_own_host(
    acme: TenantRef, harbor: TenantRef, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://{host}:8443"
    with entering(acme):
        ours = current_site()
    with entering(harbor):
        theirs = current_site()
    assert (ours.name, ours.link("/admin/")) == ("Acme", "https://acme.localhost:8443/admin/")
    assert (theirs.name, theirs.base) == ("Harbor", "https://harbor.localhost:8443")


def test_a_tenant_without_a_host_has_no_links(acme: TenantRef) -> None:
    with entering(acme), transaction.atomic():
        Domain.objects.filter(tenant_id=acme.id).delete()
        site = current_site()
        transaction.set_rollback(True)
    assert (site.base, site.link("/admin/")) == ("", "")
