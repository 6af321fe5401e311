"""API keys and tenants: what opens what, and what is told when something cannot be made."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from apps.events.models import Event
from apps.tenants.entering import (
    TenantRef,
    UnknownTenant,
    WrongSchema,
    assert_server_inside,
    entering,
    get_tenant,
)
from apps.tenants.keys import create_key, find_key
from apps.tenants.models import ApiKey, Tenant


def test_a_key_is_kept_as_a_digest_and_found_by_its_text(acme: TenantRef) -> None:
    made = create_key(Tenant.objects.get(id=acme.id), name="channel", scopes=["events:read"])
    row = ApiKey.objects.get()
    assert made.text.split("_")[2] not in json.dumps([str(v) for v in vars(row).values()])
    now = timezone.now()
    found = find_key(made.text, now=now)
    assert found is not None
    assert (found.tenant_id, found.scopes) == (acme.id, ["events:read"])
    assert ApiKey.objects.get().last_used_at == now


def test_a_wrong_expired_or_revoked_key_is_nobody(acme: TenantRef) -> None:
    now = timezone.now()
    tenant = Tenant.objects.get(id=acme.id)
    made = create_key(tenant, name="a", expires_at=now + timedelta(days=1))
    assert find_key(made.text, now=now) is not None
    assert find_key(made.text, now=now + timedelta(days=2)) is None
    assert find_key(made.text[:-1] + "x", now=now) is None
    for text in ("", "pms", "pms__", "x" * 5000, "pms_\x00_"):
        assert find_key(text.replace("\x00", ""), now=now) is None
    ApiKey.objects.update(revoked_at=now)
    assert find_key(made.text, now=now) is None


def test_a_key_of_a_tenant_that_is_switched_off_is_nobody(acme: TenantRef) -> None:
    made = create_key(Tenant.objects.get(id=acme.id), name="a")
    Tenant.objects.filter(id=acme.id).update(is_active=False)
    try:
        assert find_key(made.text, now=timezone.now()) is None
        with pytest.raises(UnknownTenant):
            get_tenant("acme")
    finally:
        Tenant.objects.filter(id=acme.id).update(is_active=True)


def test_the_command_prints_a_key_that_works(acme: TenantRef) -> None:
    out = StringIO()
    call_command(
        "create_api_key", "--tenant", "acme", "--scopes", "events:write", "--json", stdout=out
    )
    told = json.loads(out.getvalue())
    assert told["scopes"] == ["events:write"]
    assert find_key(told["key"], now=timezone.now()) is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create_api_key", "--tenant", "nobody"], "there is no tenant 'nobody'"),
        (["create_api_key", "--tenant", "public"], "there is no tenant 'public'"),
        (["create_api_key", "--tenant", "acme", "--scopes", "odd"], "unknown scope"),
        (["create_api_key", "--tenant", "acme", "--expires-days", "0"], "at least 1"),
        (["create_tenant", "acme"], "exists already"),
        (["create_tenant", "other", "--host", "acme.localhost"], "another tenant"),
        (["create_tenant", "Bad-Name"], "lower-case"),
        (["create_tenant", "public"], "exists already"),
        (["create_tenant", "pg_own"], "reserved"),
    ],
)
def test_a_command_that_cannot_says_why_and_makes_nothing(
    acme: TenantRef, arguments: list[str], said: str
) -> None:
    before = Tenant.objects.count()
    with pytest.raises(CommandError, match=said):
        call_command(*arguments, stdout=StringIO())
    assert (Tenant.objects.count(), ApiKey.objects.count()) == (before, 0)


def test_work_never_falls_back_to_public(acme: TenantRef) -> None:
    with pytest.raises(WrongSchema), entering(TenantRef(id=0, schema_name="public")):
        raise AssertionError("public was entered")
    with pytest.raises(UnknownTenant):
        get_tenant("public")


def test_a_rollback_does_not_leave_the_tenant(acme: TenantRef, harbor: TenantRef) -> None:
    with entering(acme):
        try:
            with transaction.atomic():
                with entering(harbor):
                    assert_server_inside(harbor)
                raise RuntimeError
        except RuntimeError:
            assert_server_inside(acme)
        assert Event.objects.count() == 0
    with pytest.raises(WrongSchema):
        assert_server_inside(acme)
