"""Deciding about many: each once, from where it stopped, and only what the person saw."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model

from apps.dispatch.models import Chore, PendingDelivery
from apps.fallback import bulk
from apps.fallback.bulk import (
    cancel_bulk_action,
    decide,
    start_bulk_action,
    step_bulk_action,
)
from apps.fallback.caring import UnknownAssignee
from apps.fallback.filters import DeadLetterFilter
from apps.fallback.models import BulkAction, DeadLetter, Review
from apps.fallback.operations import NoteMissing, discard
from apps.fallback.orders import Order
from apps.fallback.selecting import Selection
from apps.tenants.entering import TenantRef, entering

Die = Callable[..., list[DeadLetter]]
NOW = datetime(2099, 1, 1, tzinfo=UTC)
RETRY = Order(action="retry", actor="ann", note="mended")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once, two a step: the tests need not make hundreds."""
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    monkeypatch.setattr(bulk, "CHUNK", 2)


def all_open(*, cutoff: datetime = NOW, **chosen: str) -> Selection:
    return Selection(cutoff=cutoff, filter=DeadLetterFilter(**chosen))  # type: ignore[arg-type]


def states() -> list[str]:
    return list(DeadLetter.objects.order_by("delivery_id").values_list("state", flat=True))


def test_few_are_decided_at_once_and_more_in_the_background(acme: TenantRef, die: Die) -> None:
    letters = die(acme, "1", "2", "3", "4", "5")
    with entering(acme):
        few = decide(Selection(cutoff=NOW, ids=[d.pk for d in letters[:2]]), RETRY, now=NOW)
        assert (few.matched, few.changed, few.bulk) == (2, 2, None)
        assert states() == ["retrying", "retrying", "open", "open", "open"]
        assert not Chore.objects.exists()
        many = decide(all_open(), RETRY, now=NOW)
        assert many.bulk is not None
        assert (many.matched, many.changed, many.bulk.total) == (3, 0, 3)
        assert states() == ["retrying", "retrying", "open", "open", "open"]
        chore = Chore.objects.get()
        assert (chore.kind, chore.ref) == ("bulk_action", many.bulk.pk)


def test_steps_go_from_the_oldest_on_and_the_last_one_ends_it(acme: TenantRef, die: Die) -> None:
    die(acme, "1", "2", "3")
    with entering(acme):
        begun = start_bulk_action(all_open(), RETRY, now=NOW)
        step_bulk_action(begun.pk, now=NOW)
        assert states() == ["retrying", "retrying", "open"]
        ended = step_bulk_action(begun.pk, now=NOW)
        assert ended is not None
        assert (ended.state, ended.done, ended.skipped, ended.finished_at) == ("done", 3, 0, NOW)
        assert PendingDelivery.objects.count() == 3
        assert Review.objects.filter(bulk=begun, actor="ann", note="mended").count() == 3
        assert step_bulk_action(begun.pk, now=NOW) == ended
        assert Review.objects.count() == 3
    assert not Chore.objects.exists()


def test_a_step_that_breaks_leaves_nothing_half_done(
    acme: TenantRef, die: Die, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(acme, "1", "2", "3")
    with entering(acme):
        begun = start_bulk_action(all_open(), RETRY, now=NOW)
        with monkeypatch.context() as broken:
            broken.setattr(bulk, "set_chore", _raise)
            with pytest.raises(ConnectionError):
                step_bulk_action(begun.pk, now=NOW)
        assert (states(), PendingDelivery.objects.count()) == (["open"] * 3, 0)
        begun.refresh_from_db()
        assert (begun.done, begun.cursor_id) == (0, None)
        step_bulk_action(begun.pk, now=NOW)
        assert states() == ["retrying", "retrying", "open"]


def test_what_somebody_else_decided_meanwhile_is_left_out_and_counted(
    acme: TenantRef, die: Die
) -> None:
    letters = die(acme, "1", "2", "3")
    with entering(acme):
        begun = start_bulk_action(all_open(), RETRY, now=NOW)
        discard([letters[2]], actor="bob", note="a test", now=NOW)
        step_bulk_action(begun.pk, now=NOW)
        ended = step_bulk_action(begun.pk, now=NOW)
        assert ended is not None
        assert (ended.state, ended.done, ended.skipped) == ("done", 2, 1)
        assert states() == ["retrying", "retrying", "discarded"]


def test_what_dies_after_the_person_looked_is_not_taken(
    acme: TenantRef, die: Die, run_all: Callable[..., int]
) -> None:
    letters = die(acme, "1", "2", "3")
    with entering(acme):
        cutoff = max(d.died_at for d in letters)
        begun = start_bulk_action(all_open(cutoff=cutoff), RETRY, now=NOW)
        step_bulk_action(begun.pk, now=NOW)
        run_all()  # the first two die again
        die(acme, "4")
        while step_bulk_action(begun.pk, now=NOW).state == "running":  # type: ignore[union-attr]
            pass
        assert states() == ["open", "open", "retrying", "open"]
        assert list(DeadLetter.objects.order_by("delivery_id").values_list("deaths", flat=True)) == [
            2, 2, 1, 1,
        ]  # fmt: skip


def test_a_cancelled_one_goes_no_further(acme: TenantRef, die: Die) -> None:
    die(acme, "1", "2", "3")
    with entering(acme):
        begun = start_bulk_action(all_open(), RETRY, now=NOW)
        step_bulk_action(begun.pk, now=NOW)
        assert cancel_bulk_action(begun.pk, actor="bob", now=NOW)
        assert not cancel_bulk_action(begun.pk, actor="bob", now=NOW)
        step_bulk_action(begun.pk, now=NOW)
        begun.refresh_from_db()
        assert (begun.state, begun.done, begun.stopped_because) == (
            "cancelled", 2, "cancelled by bob",
        )  # fmt: skip
        assert states() == ["retrying", "retrying", "open"]
    assert not Chore.objects.exists()


def test_many_are_assigned_and_one_whose_assignee_is_gone_ends_with_the_reason(
    acme: TenantRef, die: Die
) -> None:
    die(acme, "1", "2", "3")
    order = Order(action="assign", actor="ann", assignee="bob")
    with entering(acme):
        with pytest.raises(UnknownAssignee):
            start_bulk_action(all_open(), order, now=NOW)
        bob = get_user_model().objects.create_user("bob")
        begun = start_bulk_action(all_open(), order, now=NOW)
        step_bulk_action(begun.pk, now=NOW)
        assert DeadLetter.objects.filter(assignee=bob).count() == 2
        bob.delete()
        ended = step_bulk_action(begun.pk, now=NOW)
        assert ended is not None
        assert (ended.state, ended.done) == ("cancelled", 2)
        assert "No active user of this tenant is named 'bob'" in ended.stopped_because
    assert not Chore.objects.exists()


def test_a_discard_of_many_without_a_reason_begins_nothing(acme: TenantRef, die: Die) -> None:
    die(acme, "1", "2", "3")
    with entering(acme):
        with pytest.raises(NoteMissing):
            decide(all_open(), Order(action="discard", actor="ann", note=" "), now=NOW)
        assert (states(), BulkAction.objects.count()) == (["open"] * 3, 0)


def test_a_chore_whose_row_is_gone_is_forgotten(acme: TenantRef, die: Die) -> None:
    die(acme, "1", "2", "3")
    with entering(acme):
        begun = start_bulk_action(all_open(), RETRY, now=NOW - timedelta(days=1))
        BulkAction.objects.all().delete()
        assert step_bulk_action(begun.pk, now=NOW) is None
        assert states() == ["open"] * 3
    assert not Chore.objects.exists()


def _raise(**_: object) -> None:
    raise ConnectionError("the database went away")
