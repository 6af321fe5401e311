"""More than one person: two at one item, one of another tenant, one who looks after it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from apps.dispatch.models import PendingDelivery
from apps.fallback.models import DeadLetter, Review
from apps.tenants.entering import TenantRef, entering
from tests.browser.pictures import look_at
from tests.fallback.conftest import die as die

pytestmark = pytest.mark.browser

Die = Callable[..., list[DeadLetter]]


def test_of_two_browsers_at_one_item_the_second_is_told_and_nothing_runs_twice(
    acme: TenantRef,
    die: Die,
    open_browser: Callable[[], Page],
    page: Page,
    sign_in: Callable[..., str],
) -> None:
    letter = die(acme, "3333333333")[0]
    other = open_browser()
    admin = sign_in(acme)
    sign_in(acme, as_="bob", on=other)
    for person in (page, other):
        person.goto(f"{admin}fallback/deadletter/{letter.pk}/change/")
    page.get_by_role("button", name="Retry", exact=True).click()
    expect(page.get_by_text("Sent back to its handler.")).to_be_visible()
    other.get_by_role("button", name="Retry", exact=True).click()
    expect(other.get_by_text("already being retried (by ann): nothing was done")).to_be_visible()
    expect(other.get_by_role("button", name="Retry", exact=True)).to_have_count(0)
    assert PendingDelivery.objects.count() == 1
    with entering(acme):
        assert [review.actor for review in Review.objects.all()] == ["ann"]


def test_of_two_browsers_that_correct_the_second_is_told(
    acme: TenantRef,
    die: Die,
    open_browser: Callable[[], Page],
    page: Page,
    sign_in: Callable[..., str],
) -> None:
    letter = die(acme, "3333333333")[0]
    other = open_browser()
    admin = sign_in(acme)
    sign_in(acme, as_="bob", on=other)
    for person in (page, other):
        person.goto(f"{admin}fallback/deadletter/{letter.pk}/correct/")
        person.get_by_label("Property id").fill("seaview")
        person.get_by_role("button", name="See what changes").click()
    page.get_by_role("button", name="Publish and retry").click()
    expect(page.get_by_text("The corrected event is published")).to_be_visible()
    other.get_by_role("button", name="Publish and retry").click()
    expect(other.get_by_text("already corrected by a new event (by ann)")).to_be_visible()
    with entering(acme):
        assert Review.objects.count() == 1


def test_a_person_of_one_tenant_cannot_open_another_s_item_by_its_address(
    acme: TenantRef, harbor: TenantRef, die: Die, page: Page, sign_in: Callable[..., str]
) -> None:
    letter = die(acme, "3333333333")[0]
    admin = sign_in(harbor)
    for address in ("change/", "correct/"):
        answer = page.goto(f"{admin}fallback/deadletter/{letter.pk}/{address}")
        assert answer is not None
        assert answer.status == 404
        expect(page.get_by_text("3333333333")).to_have_count(0)
    theirs = admin.replace("harbor", "acme")
    page.goto(f"{theirs}fallback/deadletter/{letter.pk}/change/")
    expect(page.get_by_label("Username")).to_be_visible()  # harbor's session is none there
    with entering(acme):
        assert DeadLetter.objects.get().state == "open"


def test_an_item_is_assigned_commented_on_and_found_among_mine(
    acme: TenantRef, die: Die, page: Page, sign_in: Callable[..., str]
) -> None:
    letter = die(acme, "3333333333", "4")[0]
    admin = sign_in(acme)
    page.goto(f"{admin}fallback/deadletter/{letter.pk}/change/")
    page.get_by_text("Assign…").click()
    page.get_by_label("Who looks after it?").select_option("ann")
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_text("Assigned to ann.")).to_be_visible()
    page.get_by_label("Comment").fill("I ask the channel")
    page.get_by_role("button", name="Keep").click()
    trail = page.locator("section", has_text="What people did")
    expect(trail).to_contain_text("comment by ann: “I ask the channel”")
    look_at(page, "item")
    page.goto(f"{admin}fallback/deadletter/")
    page.get_by_role("link", name="Mine").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    expect(page.locator("#result_list")).to_contain_text("3333333333")
    look_at(page, "mine")


def test_the_queue_is_worked_by_keyboard_alone(
    acme: TenantRef, die: Die, page: Page, sign_in: Callable[..., str]
) -> None:
    letter = die(acme, "3333333333")[0]
    page.goto(f"{sign_in(acme)}fallback/deadletter/?state=open")
    page.get_by_role("button", name="Filters").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("nobody", exact=True).first).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Could not record booking 3333333333").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.get_by_text("Discard…").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("a test of the channel")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Discarded, with your note.")).to_be_visible()
    with entering(acme):
        letter.refresh_from_db()
        assert (letter.state, letter.note) == ("discarded", "a test of the channel")
