"""Deciding about many in the admin: what a hostile or late form may not do."""

import json
from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from apps.fallback.models import BulkAction, DeadLetter, Review
from apps.fallback.operations import discard
from apps.tenants.entering import TenantRef, entering
from tests.fallback.conftest import die as die
from tests.fallback.test_admin import sign_in

Die = Callable[..., list[DeadLetter]]
LIST = "/admin/fallback/deadletter/"
LATE = "2099-01-01T00:00:00+00:00"


def states(tenant: TenantRef) -> list[str]:
    with entering(tenant):
        return list(DeadLetter.objects.order_by("delivery_id").values_list("state", flat=True))


def enter(tenant: TenantRef, **options: object) -> Client:
    with entering(tenant):
        return sign_in(f"{tenant.schema_name}.localhost", **options)  # type: ignore[arg-type]


def test_all_of_a_filtered_list_means_what_the_list_shows(acme: TenantRef, die: Die) -> None:
    die(acme, "1", "22")
    client = enter(acme)
    selected = {"action": "retry_selected", "select_across": "1", "_selected_action": "x"}
    shown = client.post(f"{LIST}?state=open&q=booking+22", selected).content.decode()
    assert "Retry 1 dead letter?" in shown
    assert "booking 22" in shown
    refused = client.post(f"{LIST}?event_type__startswith=b", selected, follow=True)
    assert "This list is filtered by event_type__startswith: select rows." in (
        refused.content.decode()
    )
    assert states(acme) == ["open", "open"]


def test_a_confirmed_filter_takes_what_it_said_and_no_more(acme: TenantRef, die: Die) -> None:
    letters = die(acme, "1", "2", "3")
    client = enter(acme)
    form = {"action": "retry", "note": "", "seen": "2", "filter": json.dumps({"state": "open"})}
    said = client.post(
        f"{LIST}bulk/", {**form, "cutoff": letters[1].died_at.isoformat()}, follow=True
    )
    taken = sum(d.died_at <= letters[1].died_at for d in letters)
    assert f"{taken} dead letters sent back to be handled." in said.content.decode()
    assert states(acme).count("retrying") == taken
    with entering(acme):
        assert Review.objects.count() == taken


def test_what_was_decided_meanwhile_is_said(acme: TenantRef, die: Die) -> None:
    letters = die(acme, "1", "2")
    client = enter(acme)
    with entering(acme):
        discard([letters[0]], actor="bob", note="a test", now=letters[0].died_at)
    form = {"action": "retry", "seen": "2", "id": [str(d.pk) for d in letters], "cutoff": LATE}
    said = client.post(f"{LIST}bulk/", form, follow=True).content.decode()
    assert "1 dead letter sent back to be handled." in said
    assert "1 was decided by somebody else meanwhile and left out." in said
    assert states(acme) == ["discarded", "retrying"]


def test_a_form_that_was_tampered_with_is_refused(acme: TenantRef, die: Die) -> None:
    die(acme, "1")
    client = enter(acme)
    good = {"action": "retry", "cutoff": LATE, "filter": "{}"}
    for wrong in (
        {"action": "burn"}, {"cutoff": "soon"}, {"cutoff": "2099-01-01T00:00:00"},
        {"filter": "{"}, {"filter": '{"handlr": "x"}'}, {"filter": '{"state": "all"}'},
        {"filter": "[]"},
    ):  # fmt: skip
        assert client.post(f"{LIST}bulk/", {**good, **wrong}).status_code == 400, wrong
    assert (
        client.post(f"{LIST}bulk/", {"action": "retry", "cutoff": LATE, "id": "x"}).status_code
        == 400
    )
    assert client.get(f"{LIST}bulk/?action=retry&handlr=x").status_code == 400
    assert states(acme) == ["open"]


def test_who_may_only_look_sees_progress_and_decides_nothing(acme: TenantRef, die: Die) -> None:
    letter = die(acme, "1")[0]
    client = enter(acme, username="eve", is_superuser=False)
    with entering(acme):
        bulk = BulkAction.objects.create(
            action="retry", actor="ann", total=1, filter={}, cutoff=letter.died_at,
            created_at=letter.died_at,
        )  # fmt: skip
    page = f"/admin/fallback/bulkaction/{bulk.pk}"
    assert client.get(f"{page}/change/").status_code == 403
    assert client.get(f"{page}/progress/").status_code == 403
    with entering(acme):
        allowed = Permission.objects.get(codename="view_deadletter")
        get_user_model().objects.get(username="eve").user_permissions.add(allowed)
    assert b"0 of 1 done" in client.get(f"{page}/progress/").content
    assert b"Stop here" not in client.get(f"{page}/change/").content
    assert b"Retry all" not in client.get(LIST).content
    assert client.post(f"{page}/cancel/").status_code == 403
    assert client.get(f"{LIST}bulk/?action=retry").status_code == 403
    for act in ("assign", "comment", "correct/check"):
        path = f"{LIST}{letter.pk}/{act}/"
        assert client.post(path, {"note": "x", "data": "{}"}).status_code == 403
    with entering(acme):
        bulk.refresh_from_db()
        assert (bulk.state, Review.objects.count()) == ("running", 0)
    assert states(acme) == ["open"]


@pytest.mark.parametrize("seen", ["", "9" * 5000])
def test_an_assignment_that_somebody_changed_meanwhile_is_not_overwritten(
    acme: TenantRef, die: Die, seen: str
) -> None:
    letter = die(acme, "1")[0]
    client = enter(acme)
    with entering(acme):
        bob = get_user_model().objects.create_user("bob")
        DeadLetter.objects.update(assignee=bob)
    form = {"assignee": "ann", "seen": seen}
    said = client.post(f"{LIST}{letter.pk}/assign/", form, follow=True).content.decode()
    assert "This was assigned to bob meanwhile: nothing was changed." in said
    with entering(acme):
        assert DeadLetter.objects.get().assignee == bob
        assert Review.objects.count() == 0
