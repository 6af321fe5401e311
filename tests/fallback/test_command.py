"""`manage.py fallback`: for the operator and for scripts, with an exit that tells."""

import getpass
import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from apps.fallback.models import BulkAction, DeadLetter
from apps.tenants.entering import TenantRef, entering

Die = Callable[..., list[DeadLetter]]


def states(tenant: TenantRef) -> list[str]:
    with entering(tenant):
        return list(DeadLetter.objects.order_by("delivery_id").values_list("state", flat=True))


def test_list_and_show_write_json(
    acme: TenantRef, harbor: TenantRef, die: Die, capsys: pytest.CaptureFixture[str]
) -> None:
    letter = die(acme, "1")[0]
    die(harbor, "2")
    call_command("fallback", "list", tenant="acme", json=True)
    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == [str(letter.pk)]
    call_command("fallback", "show", tenant="acme", id=[letter.pk], json=True)
    shown = json.loads(capsys.readouterr().out)[0]
    assert (shown["state"], shown["data"]["property_id"]) == ("open", "nowhere")


def test_groups_tell_causes_and_their_trend(
    acme: TenantRef, harbor: TenantRef, die: Die, capsys: pytest.CaptureFixture[str]
) -> None:
    letter = die(acme, "1", "2")[0]
    die(harbor, "3")
    call_command("fallback", "groups", tenant="acme")
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"{letter.fingerprint}        2 open  {' ' * 23}█ 24 h"
    assert shown[1].startswith("  Could not record a booking: there is no property 'nowhere'")
    assert shown[-1].strip().startswith("bookings.record_booking, permanent; first ")
    call_command("fallback", "groups", tenant="acme", json=True)
    group = json.loads(capsys.readouterr().out)[0]
    assert (group["fingerprint"], group["count"], group["subjects"]) == (letter.fingerprint, 2, 2)


def test_many_are_a_bulk_action_that_the_command_sees_through(
    acme: TenantRef, die: Die, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.fallback.bulk.AT_ONCE", 1)
    monkeypatch.setattr("apps.fallback.bulk.CHUNK", 1)
    letter = die(acme, "1", "2", "3")[0]
    call_command(
        "fallback", "discard", "--all", "--json", tenant="acme", note="tests",
        group=letter.fingerprint,
    )  # fmt: skip
    answer = json.loads(capsys.readouterr().out)
    with entering(acme):
        bulk = BulkAction.objects.get()
    assert answer == {"matched": 3, "changed": 3, "bulk_action": bulk.pk}
    assert (bulk.state, bulk.actor) == ("done", f"command {getpass.getuser()}")
    assert states(acme) == ["discarded"] * 3


def test_all_of_a_filter_are_retried_in_the_name_of_the_user(
    acme: TenantRef, die: Die, capsys: pytest.CaptureFixture[str]
) -> None:
    die(acme, "1", "2")
    call_command("fallback", "retry", "--all", tenant="acme", type="booking.*")
    assert capsys.readouterr().out == "retry: 2 of 2.\n"
    assert states(acme) == ["retrying", "retrying"]
    with entering(acme):
        actors = set(DeadLetter.objects.values_list("decided_by", flat=True))
    assert actors == {f"command {getpass.getuser()}"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"action": "retry"}, "Say which"),
        ({"action": "discard", "all": True}, "Say in the note"),
        ({"action": "retry", "id": [uuid4()]}, "has no dead letter"),
        ({"action": "list", "tenant": "nobody"}, "does not exist"),
        ({"action": "list", "type": "no spaces"}, "is no event type"),
    ],
)
def test_what_cannot_be_done_fails_and_changes_nothing(
    acme: TenantRef, die: Die, arguments: dict[str, object], said: str
) -> None:
    die(acme, "1")
    action = arguments.pop("action")
    with pytest.raises(CommandError, match=said):
        call_command("fallback", action, **{"tenant": "acme", **arguments})
    assert states(acme) == ["open"]


def test_people_read_it_in_80_columns_and_give_ids_as_they_are(
    acme: TenantRef, die: Die, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    letter = die(acme, "1")[0]
    for action, ids in (("groups", []), ("list", []), ("show", [str(letter.pk)])):
        call_command("fallback", action, *ids, tenant="acme")
        shown = capsys.readouterr().out
        assert "there is no property 'nowhere'" in " ".join(shown.split()), action
        assert max(map(len, shown.splitlines())) <= 80, action
    call_command("fallback", "discard", str(letter.pk), tenant="acme", note="a test")
    assert states(acme) == ["discarded"]
