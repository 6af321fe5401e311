"""What the screens share: parts that keep themselves up to date, and the search for barriers."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Page, expect

from tests.browser.axe import FontsMissing, find_violations

pytestmark = pytest.mark.browser

_SCRIPT = Path(__file__).parents[2] / "apps/web/static/web/refresh.js"
_ICONS = "unfold/fonts/material-symbols/Material-Symbols-Outlined.woff2"


class Site(ThreadingHTTPServer):
    """A server whose one part says what the test wants it to say."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status = 200
        self.asked = 0
        self.said = "first"
        self.font = threading.Event()  # until it is set, the font is on its way
        self.attributes = 'data-refresh="/part" data-refresh-every="0.2"'

    def part(self) -> str:
        return (
            f'<section id="part" {self.attributes}><p class="said">{self.said}</p>'
            '<label>Note <input id="note"></label>'
            "<details><summary>more</summary>folded</details></section>"
        )


class _Answer(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        if self.path == "/refresh.js":
            self._send(200, _SCRIPT.read_bytes(), "text/javascript")
        elif self.path == "/icons.woff2":
            self.server.font.wait(10)
            self._send(
                self.server.status, Path(str(finders.find(_ICONS))).read_bytes(), "font/woff2"
            )
        elif self.path == "/icons":
            page = (
                '<!doctype html><html lang="en"><title>t</title><style>@font-face {'
                'font-family: "Icons"; src: url("/icons.woff2") } span { font-family: "Icons"; '
                "color: #99a1af }</style><main><h1>t</h1><span>chevron_right</span></main></html>"
            )
            self._send(200, page.encode(), "text/html")
        elif self.path == "/part":
            self.server.asked += 1
            self._send(self.server.status, self.server.part().encode(), "text/html")
        else:
            page = (
                '<!doctype html><html lang="en"><title>t</title><main><h1>t</h1>'
                f'{self.server.part()}</main><script src="/refresh.js"></script></html>'
            )
            self._send(200, page.encode(), "text/html")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the test tells what went wrong."""


@pytest.fixture
def own_site() -> Iterator[Site]:
    with Site() as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield site
        site.shutdown()
        thread.join()


def test_a_part_refreshes_and_leaves_what_the_person_did(own_site: Site, page: Page) -> None:
    page.goto(f"http://127.0.0.1:{own_site.server_port}/")
    page.get_by_label("Note").fill("typed")
    page.locator("summary").click()
    page.get_by_label("Note").focus()
    own_site.said = "second"
    expect(page.locator(".said")).to_have_text("second")
    expect(page.get_by_label("Note")).to_have_value("typed")
    expect(page.get_by_label("Note")).to_be_focused()
    expect(page.get_by_text("folded")).to_be_visible()


def test_a_part_says_that_it_is_stale_and_recovers(own_site: Site, page: Page) -> None:
    page.goto(f"http://127.0.0.1:{own_site.server_port}/")
    own_site.status = 500
    expect(page.locator("#part[data-stale]")).to_be_visible()
    own_site.status, own_site.said = 200, "back"
    expect(page.locator(".said")).to_have_text("back")
    expect(page.locator("#part[data-stale]")).to_have_count(0)


def test_a_part_without_the_mark_is_asked_for_no_more(own_site: Site, page: Page) -> None:
    page.clock.install()
    page.goto(f"http://127.0.0.1:{own_site.server_port}/")
    own_site.attributes, own_site.said = "", "the end"
    page.clock.run_for(300)
    expect(page.locator(".said")).to_have_text("the end")
    page.clock.run_for(60_000)
    assert own_site.asked == 1


def test_barriers_are_found(own_site: Site, page: Page) -> None:
    page.goto(f"http://127.0.0.1:{own_site.server_port}/")
    assert find_violations(page) == []
    page.evaluate("document.querySelector('main').innerHTML += '<img src=/x.png>'")
    found = find_violations(page)
    assert [violation.split(" ")[0] for violation in found] == ["image-alt"]


def test_an_icon_is_judged_once_its_font_is_there(own_site: Site, page: Page) -> None:
    page.goto(f"http://127.0.0.1:{own_site.server_port}/icons", wait_until="commit")
    page.get_by_role("heading").wait_for()
    assert page.evaluate("document.fonts.status") == "loading"
    threading.Timer(0.5, own_site.font.set).start()
    assert find_violations(page) == []
    assert own_site.font.is_set()


def test_an_icon_without_its_font_is_told_as_that(own_site: Site, page: Page) -> None:
    own_site.status = 404
    own_site.font.set()
    page.goto(f"http://127.0.0.1:{own_site.server_port}/icons")
    with pytest.raises(FontsMissing, match="cannot load the font Icons"):
        find_violations(page)
