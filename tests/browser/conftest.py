"""A real browser on a real gunicorn, signed in to a tenant's admin as a person would be."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from playwright.sync_api import BrowserContext, Page, sync_playwright

from apps.tenants.entering import TenantRef, entering
from tests.processes import free_port, start_web

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PASSWORD = "correct horse battery"


@pytest.fixture(scope="session")
def site(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A gunicorn on the test database; gives its port."""
    port = free_port()
    process = start_web(tmp_path_factory.mktemp("site") / "web.log", port=port)
    yield port
    process.kill()


@pytest.fixture
def open_browser(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database: None
) -> Iterator[Callable[[], Page]]:
    """Open a page of a fresh browser, 1280 wide, with each call: every one is a person of its own.

    Fails the test on an error in a console.
    """
    if _CHROMIUM is None:
        pytest.skip("Chromium is not installed: no browser test can run")
    # Playwright's loop runs in this thread, where Django then refuses to touch the database.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    errors: list[str] = []
    contexts: list[BrowserContext] = []
    with sync_playwright() as playwright:

        def open_one() -> Page:
            context = playwright.chromium.launch_persistent_context(
                tmp_path / f"profile-{len(contexts)}",
                executable_path=_CHROMIUM,
                args=_ARGUMENTS,
                viewport={"width": 1280, "height": 900},
            )
            contexts.append(context)
            context.set_default_timeout(15_000)
            opened = context.pages[0] if context.pages else context.new_page()
            opened.on("pageerror", lambda error: errors.append(str(error)))
            return opened

        yield open_one
        for context in contexts:
            context.close()
        # While Playwright runs, Django keeps another connection than without it: end that one too.
        connection.close()
    assert errors == []


@pytest.fixture
def page(open_browser: Callable[[], Page]) -> Page:
    """A page of a fresh browser."""
    return open_browser()


@pytest.fixture
def sign_in(page: Page, site: int) -> Callable[..., str]:
    """Sign in through the form: `sign_in(acme)` gives the address of the tenant's admin.

    `sign_in(acme, as_="bob", on=other)` signs another person in, on another page.
    """

    def enter(tenant: TenantRef, *, as_: str = "ann", on: Page = page) -> str:
        with entering(tenant):
            get_user_model().objects.create_superuser(as_, password=PASSWORD)
        admin = f"http://{tenant.schema_name}.localhost:{site}/admin/"
        on.goto(admin)
        on.fill("input[name=username]", as_)
        on.fill("input[name=password]", PASSWORD)
        on.click("button[type=submit]")
        on.wait_for_url(admin)
        return admin

    return enter
