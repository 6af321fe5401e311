"""Tokens of hooks: made, replaced, recognised."""

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from apps.tenants.entering import TenantRef
from apps.tenants.hook_tokens import create_token, delete_tokens, find_token, replace_token
from apps.tenants.models import HookToken

NOW = timezone.now()
DAY = timedelta(days=1)


def test_a_token_names_its_tenant_and_connection(acme: TenantRef, harbor: TenantRef) -> None:
    same = uuid4()
    ours = create_token(acme, connection_id=same)
    theirs = create_token(harbor, connection_id=same)
    for text, tenant in ((ours, acme), (theirs, harbor)):
        found = find_token(text, now=NOW)
        assert found is not None
        assert (found.tenant_id, found.connection_id) == (tenant.id, same)
    assert find_token(ours[:-1], now=NOW) is None
    assert find_token("", now=NOW) is None
    assert find_token("\udcff", now=NOW) is None
    assert find_token("x" * 101, now=NOW) is None


def test_replacing_and_deleting_touch_one_connection_of_one_tenant(
    acme: TenantRef, harbor: TenantRef
) -> None:
    same = uuid4()
    ours = create_token(acme, connection_id=same)
    kept = [create_token(harbor, connection_id=same), create_token(acme, connection_id=uuid4())]
    new = replace_token(acme, connection_id=same, old_until=NOW + DAY)
    assert find_token(ours, now=NOW) is not None
    assert find_token(ours, now=NOW + DAY) is None
    delete_tokens(acme, connection_id=same)
    assert find_token(new, now=NOW) is None
    assert [find_token(text, now=NOW) is not None for text in kept] == [True, True]
    assert HookToken.objects.count() == 2
