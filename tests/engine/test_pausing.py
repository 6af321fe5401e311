"""Pauses as people reach them: API, command, admin; a tenant its own, the operator any."""

import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.dispatch.caps import MOST_OF_A_TENANT
from apps.dispatch.models import Cap, PendingDelivery, State
from apps.engine import router, working
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.conftest import Api
from tests.engine.handlers import handler
from tests.fallback.test_admin import sign_in


def send(tenant: TenantRef) -> None:
    with entering(tenant):
        publish_many([Envelope(id="1", source="t", type="custom.a", data={})])
    router.route()
    working.work("automation")


def test_a_tenant_pauses_its_own_work_and_ends_it_by_the_api(
    acme: TenantRef, harbor: TenantRef, api_of: Callable[..., Api]
) -> None:
    made = api_of(acme).post("pauses", {"category": "automation", "reason": "moving house"})
    assert made.status_code == 201
    with handler() as seen:
        send(acme)
        send(harbor)
        assert [context.tenant for context in seen] == ["harbor"]
        listed = api_of(acme).get("pauses").json()["results"]
        assert [(p["category"], p["reason"], p["kept_back"]) for p in listed] == [
            ("automation", "moving house", 1)
        ]
        assert listed[0]["created_by"] == "api key test"
        # Another tenant neither sees nor ends it.
        assert api_of(harbor).get("pauses").json()["results"] == []
        assert api_of(harbor).delete(f"pauses/{made.json()['id']}").status_code == 404
        assert Cap.objects.count() == 1
        assert api_of(acme).delete(f"pauses/{made.json()['id']}").status_code == 204
        working.work("automation")
        assert len(seen) == 2


def test_the_operator_s_pause_is_shown_to_a_tenant_who_cannot_end_it(
    acme: TenantRef, api_of: Callable[..., Api]
) -> None:
    call_command("pause", category="sync", reason="network work", stdout=StringIO())
    listed = api_of(acme).get("pauses").json()["results"]
    assert [(p["category"], p["by_platform"]) for p in listed] == [("sync", True)]
    assert api_of(acme).delete(f"pauses/{listed[0]['id']}").status_code == 404
    assert Cap.objects.count() == 1


def test_a_scope_that_does_not_exist_is_refused_by_the_api(
    acme: TenantRef, api_of: Callable[..., Api]
) -> None:
    answer = api_of(acme).post("pauses", {"handler": "no.such"})
    assert answer.status_code == 422
    assert "no handler is named 'no.such'" in answer.json()["detail"]
    assert Cap.objects.count() == 0


@pytest.mark.parametrize("body", [None, {}, {"handlr": "test.handler"}, {"at_most": "5"}])
def test_a_slip_pauses_nothing_by_the_api(
    acme: TenantRef, api_of: Callable[..., Api], body: dict[str, str] | None
) -> None:
    assert api_of(acme).post("pauses", body).status_code == 422
    assert Cap.objects.count() == 0


def test_a_tenant_has_a_hundred_and_changes_those_by_the_api(
    acme: TenantRef, harbor: TenantRef, api_of: Callable[..., Api]
) -> None:
    """Each claim of everybody looks at all of them, and a target may be any text."""
    one = {"handler": "sync.send_webhook", "target": "0"}
    Cap.objects.bulk_create(
        Cap(
            **{**one, "target": str(n)},
            tenant_id=acme.id,
            created_by="t",
            created_at=timezone.now(),
        )
        for n in range(MOST_OF_A_TENANT)
    )
    refused = api_of(acme).post("pauses", {**one, "target": "one more"})
    assert (refused.status_code, "at most 100" in refused.json()["detail"]) == (422, True)
    assert Cap.objects.count() == MOST_OF_A_TENANT
    assert api_of(acme).post("pauses", {**one, "at_most": 3}).status_code == 201
    assert api_of(harbor).post("pauses", one).status_code == 201


def test_everything_of_a_tenant_is_paused_with_a_reason_by_the_api(
    acme: TenantRef, api_of: Callable[..., Api]
) -> None:
    assert api_of(acme).post("pauses", {"reason": "moving house"}).status_code == 201
    assert Cap.objects.get().tenant_id == acme.id


def test_a_tenant_is_paused_and_resumed_by_command(acme: TenantRef) -> None:
    said = StringIO()
    call_command("pause", tenant="acme", reason="unpaid", json=True, stdout=said)
    assert [(p["tenant"], p["at_most"]) for p in json.loads(said.getvalue())] == [("acme", 0)]
    with handler() as seen:
        send(acme)
        assert (seen, PendingDelivery.objects.get().state) == ([], State.PAUSED)
        with pytest.raises(CommandError, match=r"there is: \[tenant acme: paused\]"):
            call_command("resume", category="sync", stdout=StringIO())
        said = StringIO()
        call_command("resume", tenant="acme", stdout=said)
        assert said.getvalue() == "resumed tenant acme: paused\n"
        working.work("automation")
        assert len(seen) == 1


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({}, "name a category"),
        ({"tenant": "nowhere"}, "'nowhere' does not exist"),
        ({"category": "bokings"}, "no category 'bokings'"),
    ],
)
def test_a_command_that_names_nothing_fails(
    database: None, options: dict[str, str], what: str
) -> None:
    with pytest.raises(CommandError, match=what):
        call_command("pause", **options, stdout=StringIO())
    assert Cap.objects.count() == 0


def test_the_admin_pauses_and_resumes_for_its_own_tenant(
    acme: TenantRef, harbor: TenantRef
) -> None:
    with entering(acme):
        ann = sign_in("acme.localhost")
    with entering(harbor):
        bob = sign_in("harbor.localhost")
    form = {"category": "automation", "handler": "", "target": "", "at_most": "0", "reason": "x"}
    assert ann.post("/admin/dispatch/cap/add/", form).status_code == 302
    cap = Cap.objects.get()
    assert (cap.tenant_id, cap.created_by) == (acme.id, "ann")
    with handler() as seen:
        send(acme)
        assert seen == []
        page = ann.get("/admin/dispatch/cap/").content.decode()
        assert "category automation, tenant acme" in page
        assert "category automation" not in bob.get("/admin/dispatch/cap/").content.decode()
        action = {"action": "resume_selected", "_selected_action": [cap.pk]}
        bob.post("/admin/dispatch/cap/", action)
        assert Cap.objects.count() == 1
        ann.post("/admin/dispatch/cap/", action)
        working.work("automation")
        assert len(seen) == 1


def test_the_admin_says_what_a_scope_lacks(acme: TenantRef) -> None:
    with entering(acme):
        ann = sign_in("acme.localhost")
    form = {"category": "sync", "handler": "", "target": "7", "at_most": "0", "reason": ""}
    page = ann.post("/admin/dispatch/cap/add/", form).content.decode()
    assert "a target belongs to a handler: name both" in page
    assert Cap.objects.count() == 0
