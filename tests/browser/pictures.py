"""Looking at a screen: narrow and wide, light and dark, with nothing that keeps people out."""

import os
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.axe import assert_accessible, wait_until_drawn

WIDTHS = (1280, 390)


def look_at(page: Page, name: str) -> None:
    """Check a screen in both widths and colours: it fits, and axe-core finds nothing serious.

    When PMS_SCREENSHOTS names a folder, keep what it looks like as `name-width-colours.png`.
    """
    folder = os.environ.get("PMS_SCREENSHOTS")
    for colours in ("light", "dark"):
        page.evaluate(
            "dark => document.documentElement.classList.toggle('dark', dark)", colours == "dark"
        )
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            wait_until_drawn(page)
            overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert overflow <= 0, f"{name} is wider than a screen of {width} by {overflow}"
            if folder:
                path = Path(folder) / f"{name}-{width}-{colours}.png"
                page.screenshot(path=path, full_page=width == 390)
            # As high as the page is: what stays at the foot of a window then lies over nothing.
            height = page.evaluate("Math.max(900, document.documentElement.scrollHeight)")
            page.set_viewport_size({"width": width, "height": height})
            assert_accessible(page)
    page.evaluate("document.documentElement.classList.remove('dark')")
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
