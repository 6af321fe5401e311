"""Failures by cause, on a stack where Celery works: found, corrected, redriven, done, by hundreds."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.events.models import Event
from apps.events.queries import get_stories
from apps.fallback.bulk import CHUNK, step_bulk_action
from apps.fallback.models import BulkAction, DeadLetter, Review
from apps.properties.models import Property
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.browser.pictures import look_at
from tests.fallback.conftest import booking
from tests.fallback.conftest import build as build
from tests.fallback.conftest import die as die
from tests.processes import Process, eventually
from tests.stack.conftest import beat as beat
from tests.stack.conftest import processes as processes
from tests.stack.conftest import worker as worker

pytestmark = [pytest.mark.browser, pytest.mark.stack]

Die = Callable[..., list[DeadLetter]]
CAUSE = "Could not record a booking: there is no property 'nowhere'"


def states(tenant: TenantRef) -> set[str]:
    with entering(tenant):
        return set(DeadLetter.objects.values_list("state", flat=True))


def is_done(tenant: TenantRef, letter: DeadLetter) -> bool:
    """Tell whether the correction of a dead letter has been handled."""
    with entering(tenant):
        letter.refresh_from_db()
        uid = letter.correction_uid
        return uid is not None and get_stories([uid])[uid].state == "done"


def test_a_failure_is_found_by_its_cause_corrected_in_the_form_and_done(
    acme: TenantRef,
    die: Die,
    build: Callable[..., None],
    worker: Callable[..., Process],
    beat: Callable[..., Process],
    page: Page,
    sign_in: Callable[..., str],
) -> None:
    with entering(acme):
        publish_many(
            [
                Envelope(id=f"spa-{n}", source="test", type="spa.visit_booked", data={})
                for n in range(3)
            ]
        )
    letter = die(acme, "3333333333")[0]
    build(acme, "seaview")
    with entering(acme):
        Property.objects.update(timezone="Asia/Tokyo")
    admin = sign_in(acme)
    page.goto(f"{admin}fallback/deadletter/")
    expect(page.get_by_role("article").first).to_contain_text("Nobody knows 'spa.visit_booked'")
    cause = page.get_by_role("article").filter(has_text=CAUSE)
    expect(cause).to_contain_text("1 open")
    expect(cause).to_contain_text("1 unit touched")
    look_at(page, "causes")
    cause.get_by_role("link", name=CAUSE).click()
    page.get_by_text("Could not record booking 3333333333").first.click()
    died = page.locator("dt", has_text="Died").locator("xpath=following-sibling::dd[1]/time")
    expect(died).to_have_attribute("title", re.compile(r"at the property \(Asia/Tokyo\)"))
    page.get_by_role("link", name="Correct and retry…").click()

    where = page.get_by_label("Property id")
    expect(where).to_have_value("nowhere")
    where.fill("")
    expect(page.locator(".field", has=where)).to_contain_text("at least 1 character")
    look_at(page, "correct-wrong")
    where.fill("seaview")
    expect(page.get_by_label("The same as JSON")).to_have_value(
        re.compile('"property_id": "seaview"')
    )
    expect(page.get_by_text("1 change, and it fits.")).to_be_visible()
    look_at(page, "correct-form")
    page.get_by_role("button", name="See what changes").click()
    expect(page.get_by_role("row").filter(has_text="/property_id")).to_contain_text("nowhere")
    page.get_by_role("button", name="Publish and retry").click()

    worker()
    beat()
    eventually(lambda: is_done(acme, letter))
    page.reload()
    lineage = page.locator("section", has_text="Where it comes from")
    expect(lineage).to_contain_text("Its correction")
    expect(lineage).to_contain_text("done")
    look_at(page, "corrected-and-done")
    with entering(acme):
        assert Event.objects.get(uid=letter.event_uid).data == booking("3333333333")


def test_five_hundred_of_one_cause_are_one_decision_with_progress(
    acme: TenantRef,
    die: Die,
    build: Callable[..., None],
    worker: Callable[..., Process],
    beat: Callable[..., Process],
    page: Page,
    sign_in: Callable[..., str],
) -> None:
    die(acme, *[str(number) for number in range(500)], status="tentative")
    build(acme, "nowhere")
    admin = sign_in(acme)
    page.goto(f"{admin}fallback/deadletter/")
    cause = page.get_by_role("article").filter(has_text=CAUSE)
    expect(cause).to_contain_text("500 open")
    cause.get_by_role("link", name="Retry all…").click()
    expect(page.get_by_role("heading", name="Retry 500 dead letters?")).to_be_visible()
    look_at(page, "confirm-many")
    page.get_by_label("Note").fill("the property is made")
    page.get_by_role("button", name="Retry 500 dead letters").click()

    progress = page.locator("#progress")
    expect(progress).to_contain_text("0 of 500 done")
    assert states(acme) == {"open"}
    with entering(acme):
        bulk = BulkAction.objects.get()
        step_bulk_action(bulk.pk, now=timezone.now())  # a worker that dies after its first step
    expect(progress).to_contain_text(f"{CHUNK} of 500 done")
    look_at(page, "progress")
    worker()
    beat()
    expect(progress).to_contain_text("Done: 500 of 500", timeout=40_000)
    expect(page.get_by_role("button", name="Stop here")).to_have_count(0)
    eventually(lambda: states(acme) == {"resolved"})
    with entering(acme):
        assert Review.objects.filter(action="retry", bulk=bulk, actor="ann").count() == 500
    page.goto(f"{admin}fallback/deadletter/")
    expect(page.get_by_text("Nothing needs a person")).to_be_visible()
    look_at(page, "nothing")
    page.goto(f"{admin}fallback/bulkaction/")
    expect(page.get_by_role("link", name="retry 500 dead letters")).to_be_visible()
    look_at(page, "bulk-actions")


def test_a_bulk_action_is_stopped_and_what_it_did_stays_done(
    acme: TenantRef, die: Die, page: Page, sign_in: Callable[..., str]
) -> None:
    die(acme, *[str(number) for number in range(CHUNK + 10)])
    admin = sign_in(acme)
    page.goto(f"{admin}fallback/deadletter/")
    page.get_by_role("link", name="Discard all…").click()
    page.get_by_label("Why are they given up for good?").fill("test bookings")
    page.get_by_role("button", name=f"Discard {CHUNK + 10} dead letters").click()
    with entering(acme):
        step_bulk_action(BulkAction.objects.get().pk, now=timezone.now())
    page.get_by_role("button", name="Stop here").click()
    expect(page.locator("#progress")).to_contain_text(f"Stopped after {CHUNK} of {CHUNK + 10}")
    with entering(acme):
        assert DeadLetter.objects.filter(state="open").count() == 10
        assert step_bulk_action(BulkAction.objects.get().pk, now=timezone.now()) is not None
        assert DeadLetter.objects.filter(state="open").count() == 10
