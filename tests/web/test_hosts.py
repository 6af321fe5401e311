"""Which host names which tenant, however it is written, and whatever a header claims."""

from collections.abc import Callable

import pytest
import requests

from apps.tenants.entering import TenantRef
from apps.tenants.models import Domain
from tests.conftest import Api
from tests.fallback.test_admin import sign_in


@pytest.mark.parametrize("host", ["acme.localhost", "ACME.LOCALHOST:8000", "Acme.localhost."])
def test_a_host_is_known_however_it_is_written(
    acme: TenantRef, api_of: Callable[..., Api], host: str
) -> None:
    api = api_of(acme)
    api.session.headers["Host"] = host
    assert api.get("events").status_code == 200


@pytest.mark.parametrize("host", ["harbor.localhost", "HARBOR.localhost:80", "harbor.localhost."])
def test_a_key_on_anothers_host_is_403_however_it_is_written(
    acme: TenantRef, harbor: TenantRef, api_of: Callable[..., Api], host: str
) -> None:
    api = api_of(acme)
    api.session.headers["Host"] = host
    assert api.get("events").status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "Forwarded", "X-Original-Host"])
def test_a_header_that_claims_another_host_is_not_believed(
    acme: TenantRef, harbor: TenantRef, api_of: Callable[..., Api], header: str
) -> None:
    api = api_of(acme)
    claim = "host=harbor.localhost" if header == "Forwarded" else "harbor.localhost"
    api.session.headers[header] = claim
    api.post("events", [{"id": n, "source": "s", "type": "custom.a", "data": {}} for n in "12"])
    page = api.get("events", limit=1)
    assert page.status_code == 200
    assert page.json()["next"].startswith("http://acme.localhost/")


@pytest.mark.parametrize("host", ["evil.example", "a b", "acme.localhost:abc", "evil.localhost"])
def test_a_host_of_nobody_is_a_404_problem(web: str, acme: TenantRef, host: str) -> None:
    answer = requests.get(f"{web}/api/v1/events", headers={"Host": host}, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        404,
        "application/problem+json",
    )
    assert answer.json()["detail"] == "No tenant has this host name."


@pytest.mark.parametrize(
    ("given", "kept"), [("NEW.localhost", ["new.localhost"]), ("a_b.localhost", []), ("x/y", [])]
)
def test_the_platform_s_admin_keeps_hosts_that_can_be_reached(
    acme: TenantRef, given: str, kept: list[str]
) -> None:
    client = sign_in("platform.localhost")
    before = set(Domain.objects.values_list("domain", flat=True))
    client.post("/admin/tenants/domain/add/", {"domain": given, "tenant": acme.id})
    made = Domain.objects.exclude(domain__in=before)
    try:
        assert list(made.values_list("domain", flat=True)) == kept
    finally:
        made.delete()
