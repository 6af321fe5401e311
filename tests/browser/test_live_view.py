"""The live view: it moves while events flow, without a reload, on real workers."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.dispatch.caps import set_cap
from apps.dispatch.sampling import take_sample
from apps.tenants.entering import TenantRef, entering, entering_public
from pms_events.categories import Category
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.browser.conftest import PASSWORD
from tests.browser.pictures import look_at
from tests.processes import Process, eventually, start_worker

pytestmark = pytest.mark.browser


def send(tenant: TenantRef, *, first: int, count: int) -> None:
    with entering(tenant):
        publish_many(
            [
                Envelope(id=f"live-{n}", source="test", type="custom.a", data={"n": n})
                for n in range(first, first + count)
            ]
        )


@pytest.fixture
def workers(database: None, tmp_path: Path) -> Iterator[Process]:
    """Beat, and a worker of everything but messaging with the test's handler of custom events."""
    queues = ["events.route", "events.sweep", "events.chores"]
    queues += [category.queue for category in Category if category is not Category.MESSAGING]
    process = start_worker(tmp_path / "worker.log", queues, name="everything")
    beat = Process(
        [sys.executable, "-m", "celery", "-A", "config", "beat", "--pidfile=",
         "-s", str(tmp_path / "schedule")],
        tmp_path / "beat.log",
    )  # fmt: skip
    yield process
    beat.kill()
    process.kill()


def test_the_live_view_moves_while_events_flow(
    acme: TenantRef,
    harbor: TenantRef,
    workers: Process,
    page: Page,
    sign_in: Callable[..., str],
) -> None:
    sign_in(acme)
    expect(page.get_by_role("heading", name="Nothing has come in yet")).to_be_visible()
    expect(page.locator("#live pre")).to_contain_text("/api/v1/events")
    page.evaluate("window.isTheSamePage = true")
    expect(page.locator("#live-workers .problem")).to_contain_text(
        "Nobody listens to events.messaging", timeout=20_000
    )
    look_at(page, "live-empty")

    send(acme, first=0, count=30)
    send(harbor, first=0, count=7)
    done = page.locator("article.lane", has_text="automation").locator("figure.done strong")
    expect(done).to_have_text("30", timeout=30_000)
    page.locator("article.lane summary").first.click()
    send(acme, first=30, count=12)
    expect(done).to_have_text("42", timeout=30_000)
    assert page.evaluate("window.isTheSamePage"), "the page was loaded anew"
    assert page.locator("article.lane details").first.get_attribute("open") is not None

    set_cap(by="ann", now=timezone.now(), category="automation", tenant_id=acme.id, reason="audit")
    send(acme, first=42, count=5)
    expect(page.locator(".fact", has_text="Automation is paused")).to_contain_text("audit")
    expect(page.locator("article.lane", has_text="automation").locator(".backlog")).to_contain_text(
        "5 paused", timeout=30_000
    )
    look_at(page, "live")


def test_the_platform_sees_all_tenants_ranked(
    acme: TenantRef, harbor: TenantRef, page: Page, site: int
) -> None:
    send(acme, first=0, count=3)
    send(harbor, first=0, count=2)
    with entering_public():
        take_sample(now=timezone.now())
        get_user_model().objects.create_superuser("operator", password=PASSWORD)
    page.goto(f"http://platform.localhost:{site}/admin/")
    page.fill("input[name=username]", "operator")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    lag = page.locator(".ranks .card", has_text="Tenants by lag")
    expect(lag.get_by_role("link", name="Acme")).to_have_attribute(
        "href", f"http://acme.localhost:{site}/admin/"
    )
    assert lag.locator("tbody tr").all_inner_texts() != []
    eventually(lambda: page.locator("#live-workers .problem").count())
    look_at(page, "live-platform")
