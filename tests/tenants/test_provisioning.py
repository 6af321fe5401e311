"""Making tenants and keys by command: what cannot work is refused in one line, and nothing is made."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.tenants.entering import TenantRef
from apps.tenants.models import ApiKey, Domain, Tenant


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["information_schema"], "reserved by PostgreSQL"),
        (["pg_own"], "reserved by PostgreSQL"),
        (["Capital"], "lower-case letters"),
        (["fine", "--host", "a b"], "A host name has"),
        (["fine", "--host", "under_score.localhost"], "A host name has"),
        (["fine", "--host", "a-.localhost"], "A host name has"),
        (["fine", "--host", "ACME.localhost"], "belongs to another tenant"),
        (["acme"], "exists already"),
    ],
)
def test_a_tenant_that_cannot_be_is_refused(
    acme: TenantRef, arguments: list[str], words: str
) -> None:
    before = (Tenant.objects.count(), Domain.objects.count())
    with pytest.raises(CommandError, match=words):
        call_command("create_tenant", *arguments)
    assert (Tenant.objects.count(), Domain.objects.count()) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tenant", "nobody"], "no tenant 'nobody'"),
        (["--tenant", "acme", "--expires-days", "99999999999"], "at most 36500"),
        (["--tenant", "acme", "--name", "x" * 101], "1 to 100 characters"),
        (["--tenant", "acme", "--name", " "], "1 to 100 characters"),
        (["--tenant", "acme", "--scopes", "all"], "unknown scope"),
    ],
)
def test_a_key_that_cannot_be_is_refused(acme: TenantRef, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("create_api_key", *arguments, stdout=StringIO())
    assert not ApiKey.objects.exists()
