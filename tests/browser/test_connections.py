"""Connections as a person meets them: made, looked at on the home page, its address changed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import requests
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.sync import connecting, rounds
from apps.sync.models import Connection
from apps.tenants.entering import TenantRef, entering
from tests.browser.pictures import look_at

pytestmark = pytest.mark.browser


def test_a_connection_is_made_heard_and_told_when_it_falls_silent(
    acme: TenantRef,
    page: Page,
    site: int,
    sign_in: Callable[..., str],
    run_all: Callable[..., int],
) -> None:
    admin = sign_in(acme)
    page.goto(f"{admin}sync/connection/")
    expect(page.get_by_text("No outside sender is connected")).to_be_visible()
    page.get_by_role("link", name="Add connection").last.click()
    page.get_by_label("Name").fill("Door locks")
    look_at(page, "connection-add")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Connection made: Door locks")).to_be_visible()
    look_at(page, "connection-made")
    url = page.locator("pre").first.inner_text().strip()
    path = url.partition("/hooks/")[2]
    answer = requests.post(
        f"http://127.0.0.1:{site}/hooks/{path}",
        data=b'{"id": "1", "source": "locks", "type": "custom.opened"}',
        headers={"Host": "acme.localhost", "Content-Type": "application/json"},
        timeout=10,
    )
    assert answer.status_code == 202
    run_all()
    page.goto(f"{admin}sync/connection/")
    expect(page.get_by_text("1 received")).to_be_visible()
    with entering(acme):
        connection = Connection.objects.get()
        now = timezone.now()
        connecting.update_connection(connection, silent_after=timedelta(hours=1), now=now)
        rounds.tell_silent_connections(now + timedelta(hours=2))
    page.goto(admin)
    expect(page.get_by_role("link", name="Door locks is silent")).to_be_visible()
    look_at(page, "live-silent")
    page.get_by_role("link", name="Door locks is silent").click()
    expect(page.get_by_text("not known yet")).to_be_visible()
    look_at(page, "connection")
    page.get_by_role("link", name="Rotate token").click()
    look_at(page, "connection-rotate")
    page.get_by_role("button", name="Rotate the token").click()
    expect(page.get_by_role("heading", name="New address: Door locks")).to_be_visible()
    assert page.locator("pre").first.inner_text().strip() != url
    page.goto(f"{admin}sync/reception/")
    page.locator("#result_list a").last.click()
    expect(page.get_by_text('"type": "custom.opened"')).to_be_visible()
    look_at(page, "reception")
