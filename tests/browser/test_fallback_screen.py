"""The fallback queue as a person uses it: find, understand, correct, see it leave."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from apps.events.models import Event
from apps.fallback.models import DeadLetter
from apps.tenants.entering import TenantRef, entering
from tests.browser.pictures import look_at
from tests.fallback.conftest import booking
from tests.fallback.conftest import build as build
from tests.fallback.conftest import die as die

pytestmark = pytest.mark.browser

Die = Callable[..., list[DeadLetter]]
SENTENCE = "Could not record booking 3333333333: there is no property 'nowhere'"


def test_a_dead_letter_is_found_corrected_and_leaves_the_queue(
    acme: TenantRef,
    die: Die,
    build: Callable[..., None],
    run_all: Callable[..., int],
    page: Page,
    sign_in: Callable[..., str],
) -> None:
    letter = die(acme, "3333333333")[0]
    build(acme, "seaview")
    admin = sign_in(acme)
    page.goto(f"{admin}fallback/deadletter/?state=open")
    look_at(page, "items")
    page.get_by_text(SENTENCE).first.click()
    expect(page.locator("h1", has_text=SENTENCE)).to_be_visible()
    look_at(page, "detail")

    page.get_by_role("link", name="Correct and retry…").click()
    editor = page.get_by_label("The same as JSON")
    assert json.loads(editor.input_value()) == booking("3333333333")
    typed = editor.input_value().replace("2027-06-01", "soon")
    editor.fill(typed)
    page.get_by_label("Note").fill("the channel sent the wrong property")
    page.get_by_role("button", name="See what changes").click()
    expect(page.locator(".errors")).to_contain_text('#/data/stays/0/arrival is "soon"')
    assert json.loads(page.get_by_label("The same as JSON").input_value()) == json.loads(typed)
    look_at(page, "correct")

    fixed = booking("3333333333", property_id="seaview")
    page.get_by_label("The same as JSON").fill(json.dumps(fixed, indent=2))
    page.get_by_role("button", name="See what changes").click()
    row = page.get_by_role("row").filter(has_text="/property_id")
    expect(row).to_contain_text("nowhere")
    expect(row).to_contain_text("seaview")
    look_at(page, "preview")
    with entering(acme):
        assert Event.objects.count() == 1
    page.get_by_role("button", name="Publish and retry").click()
    expect(page.get_by_text("The corrected event is published")).to_be_visible()
    look_at(page, "corrected")

    run_all()
    page.goto(f"{admin}fallback/deadletter/")
    expect(page.get_by_text("Nothing needs a person")).to_be_visible()
    look_at(page, "empty")
    with entering(acme):
        letter.refresh_from_db()
        assert (letter.state, letter.decided_by) == ("corrected", "ann")
        assert letter.correction_uid is not None
        assert Event.objects.get(uid=letter.correction_uid).data == fixed
    page.goto(f"{admin}events/event/{letter.correction_uid}/change/")
    expect(page.get_by_role("heading", name="bookings.record_booking")).to_be_visible()


def test_a_decision_that_comes_second_is_told_and_nothing_runs(
    acme: TenantRef, die: Die, page: Page, sign_in: Callable[..., str]
) -> None:
    letter = die(acme, "3333333333")[0]
    admin = sign_in(acme)
    page.goto(f"{admin}fallback/deadletter/{letter.pk}/change/")
    with entering(acme):
        DeadLetter.objects.update(state="discarded", decided_by="bob")
    page.get_by_role("button", name="Retry", exact=True).click()
    expect(page.get_by_text("This dead letter is already discarded (by bob)")).to_be_visible()
    with entering(acme):
        assert DeadLetter.objects.get().state == "discarded"


def test_many_are_discarded_after_a_page_that_shows_them(
    acme: TenantRef, die: Die, page: Page, sign_in: Callable[..., str]
) -> None:
    die(acme, "1", "2")
    admin = sign_in(acme)
    page.goto(f"{admin}fallback/deadletter/?state=open")
    page.locator("input.action-select").first.check()
    page.locator("input.action-select").last.check()
    page.locator("select[name=action]").select_option("discard_selected")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", name="Discard 2 dead letters?").last).to_be_visible()
    look_at(page, "confirm")
    page.get_by_label("Why are they given up for good?").fill("test bookings")
    page.get_by_role("button", name="Discard 2 dead letters").click()
    expect(page.get_by_text("2 dead letters discarded, with your note.")).to_be_visible()
    with entering(acme):
        assert set(DeadLetter.objects.values_list("state", "note")) == {
            ("discarded", "test bookings")
        }
