"""Every list and form of the admin, as a person sees it: it fits, is readable, and works by keyboard."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Page, expect

from apps.properties.models import Property, Unit
from apps.sync.models import Endpoint, Exchange
from apps.tenants.entering import TenantRef, entering, leave
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.browser.conftest import PASSWORD
from tests.browser.pictures import look_at
from tests.fallback.conftest import booking

pytestmark = pytest.mark.browser

_LISTS = [
    "bookings/booking", "calendars/calendarentry", "housekeeping/cleaningtask",
    "reporting/dailyfigure", "properties/property", "properties/unit", "sync/endpoint",
    "sync/exchange", "sync/connection", "sync/reception", "dispatch/cap", "dispatch/route", "auth/user", "auth/group",
]  # fmt: skip
_FORMS = [
    "properties/property/add", "properties/unit/add", "sync/endpoint/add", "sync/connection/add",
    "dispatch/cap/add", "dispatch/route/add", "auth/user/add", "auth/group/add",
]  # fmt: skip
_OF_THE_PLATFORM = [
    "tenants/tenant", "tenants/domain", "tenants/apikey", "dispatch/cap", "dispatch/tenantshare",
    "dispatch/refuseddelivery", "django_celery_results/taskresult", "auth/user",
]  # fmt: skip


def name_of(address: str) -> str:
    return address.replace("/", "-")


def test_every_list_and_form_of_a_tenant(
    acme: TenantRef, sign_in: Callable[..., str], page: Page, run_all: Callable[..., int]
) -> None:
    at = datetime.now(UTC)
    with entering(acme):
        home = Property.objects.create(ref="seaview", name="Seaview", timezone="Europe/Lisbon")
        Unit.objects.create(ref="seaview-101", property=home, name="Garden room")
        endpoint = Endpoint.objects.create(url="https://receiver.example/hook", secret=b"")
        Exchange.objects.create(
            endpoint=endpoint, started_at=at, duration_ms=12, url=endpoint.url, status=500,
            request_headers={"webhook-signature": "v1," + "x" * 88}, request_body="y" * 300,
        )  # fmt: skip
        publish_many(
            [
                Envelope(
                    id="1", source="test", type="booking.created",
                    data=booking("BK-1", property_id="seaview"),
                )
            ]
        )  # fmt: skip
    run_all()
    admin = sign_in(acme)
    for address in _LISTS:
        page.goto(f"{admin}{address}/")
        look_at(page, name_of(address))
        first = page.locator("#result_list tbody th a").first
        if first.count():
            page.goto(page.url.split("/admin/")[0] + str(first.get_attribute("href")))
            look_at(page, f"{name_of(address)}-one")
    for address in _FORMS:
        page.goto(f"{admin}{address}/")
        look_at(page, name_of(address))
    page.goto(f"{admin}nowhere/")
    look_at(page, "not-found")


def test_every_list_of_the_platform(acme: TenantRef, site: int, page: Page) -> None:
    leave()
    get_user_model().objects.create_superuser("root", password=PASSWORD)
    admin = f"http://platform.localhost:{site}/admin/"
    page.goto(f"{admin}login/")
    look_at(page, "login")
    page.fill("input[name=username]", "root")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(admin)
    for address in _OF_THE_PLATFORM:
        page.goto(f"{admin}{address}/")
        look_at(page, f"platform-{name_of(address)}")
    page.goto(f"{admin}fallback/deadletter/")
    expect(page.get_by_text("to the tenant's people alone")).to_be_visible()
    look_at(page, "refused")


def test_menu_filters_and_account_are_opened_by_keyboard(
    acme: TenantRef, sign_in: Callable[..., str], page: Page
) -> None:
    admin = sign_in(acme)
    page.goto(f"{admin}bookings/booking/")
    page.get_by_role("button", name=re.compile("^Filters")).first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#changelist-filter")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#changelist-filter")).to_be_hidden()
    page.get_by_role("button", name="Your account").focus()
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{admin}bookings/booking/")
    link = page.get_by_role("link", name="Cleaning tasks")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).focus()
    page.keyboard.press("Enter")
    expect(link).to_be_visible()
