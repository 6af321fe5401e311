"""The form of a correction: every kind of value, in step with the JSON, and nothing lost."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.events.models import Event
from apps.fallback.models import DeadLetter
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.browser.pictures import look_at
from tests.fallback.conftest import booking

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


@pytest.fixture
def open_form(
    acme: TenantRef, run_all: Callable[..., int], page: Page, sign_in: Callable[..., str]
) -> Open:
    """Open the correction of a `booking.modified` with this data: `open_form(revision=7)`."""

    def make(**data: Any) -> Page:
        kept = {**booking("333"), **data}
        with entering(acme):
            publish_many([Envelope(id="1", source="test", type="booking.modified", data=kept)])
            run_all()
            letter = DeadLetter.objects.get()
        page.goto(f"{sign_in(acme)}fallback/deadletter/{letter.pk}/correct/")
        return page

    return make


def written(page: Page) -> dict[str, Any]:
    """Read the data as the JSON beside the form says it."""
    return dict(json.loads(page.get_by_label("The same as JSON").input_value()))


def test_every_kind_of_value_is_edited_in_the_form(open_form: Open) -> None:
    page = open_form(revision="r7", changed_fields=["status"], note={"from": ["guest"]})
    before = written(page)

    page.get_by_label("Status").select_option("tentative")
    page.get_by_label("Adults").fill("3")
    page.get_by_label("Arrival").fill("2027-05-31")
    page.get_by_label("Revision ref optional").fill("")  # an optional one goes
    page.get_by_label("Revision optional").fill("8")  # a whole number or a text: as JSON
    page.get_by_role("button", name="Remove total").click()
    page.get_by_role("button", name="Add changed field", exact=True).click()
    page.get_by_label("Changed field 2").fill("stays")
    page.get_by_label("Note optional").fill('{"from": ["guest", "desk"]}')  # not in the schema

    stay = {**before["stays"][0], "adults": 3, "arrival": "2027-05-31"}
    expected = {
        **before, "status": "tentative", "stays": [stay], "revision": 8,
        "changed_fields": ["status", "stays"], "note": {"from": ["guest", "desk"]},
    }  # fmt: skip
    del expected["total"]
    del expected["external_ref"]["revision_ref"]
    assert written(page) == expected
    expect(page.get_by_text("8 changes, and they fit.")).to_be_visible()


def test_errors_stand_at_their_fields_also_in_what_was_added(open_form: Open) -> None:
    page = open_form()
    page.get_by_role("button", name="Add stay").click()
    second = page.get_by_role("group", name="Stay 2")
    expect(second.get_by_label("Stay ref")).to_be_visible()
    expect(second.locator(".field", has_text="Stay ref").locator(".field-error")).to_have_text(
        "String should have at least 1 character"
    )
    second.get_by_label("Adults").fill("two")
    expect(second.locator(".field", has_text="Adults").locator(".field-error")).to_contain_text(
        "valid integer"
    )
    expect(second.get_by_label("Adults")).to_have_attribute("aria-invalid", "true")
    look_at(page, "correct-added")
    page.get_by_role("button", name="See what changes").click()
    expect(page.locator("#errors")).to_contain_text("#/data/stays/1/stay_ref")
    second = page.get_by_role("group", name="Stay 2")
    expect(second.get_by_label("Adults")).to_have_value("two")  # what was typed stays
    expect(second.get_by_label("Adults")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Remove stay 2").click()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()


def test_the_form_follows_the_json_and_rests_while_it_is_broken(open_form: Open) -> None:
    page = open_form()
    text = page.get_by_label("The same as JSON")
    good = text.input_value()
    text.fill(good.replace('"nowhere"', '"seaview"'))
    expect(page.get_by_label("Property id")).to_have_value("seaview")
    text.fill(good + "}")
    expect(page.locator("#correct-why")).to_contain_text("The JSON cannot be read")
    expect(page.locator("#correct-fields")).to_have_attribute("inert", "")
    text.fill(good.replace('"2027-06-01"', '"soon"'))
    expect(page.get_by_label("Arrival")).to_have_value("soon")  # a date field would hide it
    expect(page.locator(".field", has_text="Arrival").locator(".field-error")).to_contain_text(
        "valid date"
    )


def test_numbers_that_a_browser_would_round_are_left_to_the_json(
    acme: TenantRef, open_form: Open
) -> None:
    big = 12345678901234567890
    page = open_form(pms_number=big)
    expect(page.locator("#correct-why")).to_contain_text("numbers that a form would round")
    text = page.get_by_label("The same as JSON")
    text.fill(text.input_value().replace('"nowhere"', '"seaview"'))
    page.get_by_role("button", name="See what changes").click()
    page.get_by_role("button", name="Publish and retry").click()
    expect(page.get_by_text("The corrected event is published")).to_be_visible()
    with entering(acme):
        correction = Event.objects.get(causation__isnull=False, type__startswith="booking.")
    assert (correction.data["property_id"], correction.data["pms_number"]) == ("seaview", big)
