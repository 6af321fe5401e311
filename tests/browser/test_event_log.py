"""The event log and replays as a person uses them, against real web and worker processes."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from apps.events.models import Delivery, Event, Replay
from apps.fallback.models import DeadLetter
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
from tests.sync.conftest import EndpointOf
from tests.sync.conftest import endpoint_of as endpoint_of
from tests.sync.receiver import Receiver, Reply

pytestmark = pytest.mark.browser


def take_bookings(tenant: TenantRef, *refs: str) -> None:
    with entering(tenant):
        publish_many(
            [
                Envelope(
                    id=f"created-{ref}",
                    source="booking.com",
                    type="booking.created",
                    subject=ref,
                    data=booking(ref, property_id="seaview"),
                )
                for ref in refs
            ]
        )


def test_an_empty_log_says_what_will_be_in_it(
    acme: TenantRef, page: Page, sign_in: Callable[..., str]
) -> None:
    admin = sign_in(acme)
    page.goto(f"{admin}events/event/")
    expect(page.get_by_role("heading", name="No events yet")).to_be_visible()
    look_at(page, "log-empty")
    page.goto(f"{admin}events/replay/")
    expect(page.get_by_text("No replays yet")).to_be_visible()


def test_an_event_is_found_and_its_story_is_told(
    acme: TenantRef,
    build: Callable[..., None],
    die: Callable[..., list[DeadLetter]],
    endpoint_of: EndpointOf,
    run_all: Callable[..., int],
    page: Page,
    sign_in: Callable[..., str],
) -> None:
    letter = die(acme, "7777777777")[0]
    build(acme, "seaview")
    with Receiver(Reply(status=503), Reply(status=503)) as receiver:
        endpoint_of(acme, receiver.url, "booking.*")
        take_bookings(acme, "3333333333", "4444444444")
        run_all()
        run_all(also_scheduled=True)
    admin = sign_in(acme)
    page.goto(f"{admin}events/event/")
    expect(page.locator("tbody tr")).not_to_have_count(0)
    look_at(page, "log")

    page.get_by_label("State").select_option("failed")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"\?state=failed$"))
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="booking.created").click()
    dead = page.get_by_role("link", name="Dead letter: Could not record booking 7777777777")
    dead.click()
    expect(page).to_have_url(re.compile(str(letter.pk)))

    page.goto(f"{admin}events/event/")
    page.get_by_label("Text in the payload").fill("3333333333-1")
    page.get_by_label("Type").fill("booking.*")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="booking.created").click()
    expect(page.locator(".story h1", has_text="booking.created 3333333333")).to_be_visible()
    expect(page.locator(".timeline .line.event")).not_to_have_count(1)
    expect(page.locator(".exhibit").filter(has_text="Exchange: 503")).to_have_count(1)
    expect(page.locator(".exhibit").filter(has_text="Exchange: 200")).to_have_count(1)
    look_at(page, "story")
    page.get_by_text("The same as a table").click()
    rows = page.locator("details.after-picture tbody tr")
    expect(rows.filter(has_text="stay.scheduled")).not_to_have_count(0)
    look_at(page, "story-table")
    with entering(acme):
        event = Event.objects.get(event_id="created-3333333333")

    page.get_by_role("link", name="3333333333 (booking.com)").click()
    page.get_by_role("link", name="Events about this booking").click()
    expect(page).to_have_url(re.compile(r"subject=3333333333"))
    page.get_by_role("link", name="booking.created").click()
    expect(page).to_have_url(re.compile(str(event.uid)))
    page.get_by_role("link", name="101 (seaview-101)").click()
    page.get_by_role("link", name="Events that name this unit").click()
    expect(page.locator("tbody tr")).not_to_have_count(0)


def test_the_log_is_searched_without_a_mouse(
    acme: TenantRef, page: Page, sign_in: Callable[..., str]
) -> None:
    take_bookings(acme, "3333333333", "4444444444")
    page.goto(f"{sign_in(acme)}events/event/")
    page.get_by_label("Text in the payload").focus()
    page.keyboard.type("4444444444")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?text=4444444444", wait_until="load")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_text("Subject, source, category, time").press("Enter")
    page.get_by_label("Recorded from").fill("2026-01-02T03:04")
    page.get_by_label("Recorded from").press("Enter")
    page.wait_for_url(re.compile(r"since=202\d-.*Z"), wait_until="load")
    expect(page.get_by_label("Recorded from")).to_have_value("2026-01-02T03:04")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Text in the payload").focus()
    for _ in range(40):  # a field for a time has six stops
        page.keyboard.press("Tab")
        here = page.evaluate(
            "({text: document.activeElement.innerText,"
            " outline: getComputedStyle(document.activeElement).outlineStyle})"
        )
        if here["text"] == "booking.created":
            break
    assert here == {"text": "booking.created", "outline": "solid"}
    page.keyboard.press("Enter")
    expect(page.locator(".story h1", has_text="booking.created 4444444444")).to_be_visible()


def test_nobody_finds_another_tenants_event(
    acme: TenantRef, harbor: TenantRef, page: Page, sign_in: Callable[..., str]
) -> None:
    take_bookings(harbor, "3333333333")
    with entering(harbor):
        uid = Event.objects.get().uid
    admin = sign_in(acme)
    assert page.goto(f"{admin}events/event/{uid}/change/").status == 404  # type: ignore[union-attr]
    page.goto(f"{admin}events/event/?text={uid}")
    expect(page.get_by_text("Nothing matches")).to_be_visible()


def test_events_are_replayed_from_the_log_with_a_preview(
    acme: TenantRef,
    build: Callable[..., None],
    endpoint_of: EndpointOf,
    run_all: Callable[..., int],
    worker: Callable[..., Process],
    beat: Callable[..., Process],
    page: Page,
    sign_in: Callable[..., str],
) -> None:
    build(acme, "seaview")
    with Receiver() as receiver:
        endpoint_of(acme, receiver.url, "booking.*")
        take_bookings(acme, *[f"{n:010}" for n in range(30)])
        run_all()
        admin = sign_in(acme)
        heard = len(receiver.received)
        page.goto(f"{admin}events/event/?type=booking.created")
        page.locator("table.rows").get_by_role("link", name="booking.created").first.click()
        page.get_by_role("link", name="Replay this event…").click()
        expect(page.get_by_role("heading", name="Replay 1 event?")).to_be_visible()
        page.goto(f"{admin}events/event/?type=booking.created")
        page.get_by_role("link", name="Replay these…").click()
        expect(page.get_by_role("heading", name="Replay 30 events?")).to_be_visible()
        runs = page.get_by_role("row").filter(has_text="bookings.record_booking")
        expect(runs).to_contain_text("30")
        silent = page.get_by_role("row").filter(has_text="sync.send_webhook")
        expect(silent).to_contain_text("a replay keeps the outside silent unless asked")
        look_at(page, "replay-new")

        page.get_by_role("button", name="Start the replay of 30 events").click()
        reason = page.get_by_label("Why? (kept with the replay)")
        assert reason.evaluate("field => field.validity.valueMissing")
        reason.fill("the calendar was restored")
        page.get_by_label("Events a second, at most").fill("5")
        page.get_by_role("button", name="Start the replay of 30 events").click()
        expect(page.locator(".story h1", has_text="Replay ")).to_be_visible()
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
        expect(page.locator("li", has_text="pause by ann")).to_be_visible()

        worker()
        beat()
        page.get_by_role("button", name="Resume").click()
        expect(page.locator("#progress")).to_contain_text(
            re.compile(r"\b[1-9]\d? of 30 events"), timeout=30_000
        )
        look_at(page, "replay-running")
        expect(page.locator("#progress")).to_contain_text("30 of 30 events", timeout=60_000)
        expect(page.locator("#progress")).to_contain_text("30 deliveries done", timeout=60_000)
        expect(page.locator("#progress .head")).to_contain_text("done", timeout=30_000)
        look_at(page, "replay-done")
        assert len(receiver.received) == heard

    with entering(acme):
        replay = Replay.objects.get()
        assert (replay.state, replay.requested_by, replay.reason) == (
            "done",
            "ann",
            "the calendar was restored",
        )
        done = Delivery.objects.filter(replay_id=replay.pk, state="done")
        eventually(lambda: done.count() == 30)
        uid = done.first().event_uid  # type: ignore[union-attr]
    page.goto(f"{admin}events/event/{uid}/change/")
    page.get_by_role("link", name=f"replay {replay.pk}").first.click()
    expect(page).to_have_url(re.compile(rf"replay/{replay.pk}/"))
    page.goto(f"{admin}events/replay/")
    look_at(page, "replays")
