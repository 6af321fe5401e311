"""axe-core on the page that a browser shows: what keeps people from using it."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_AXE = Path(__file__).parent / "vendor" / "axe.min.js"
_SERIOUS = {"serious", "critical"}
_RUN = """() => axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    resultTypes: ["violations"],
}).then(results => results.violations)"""
# Every face that is declared is loaded: which of them a page needs is known only once it is laid out.
# What moves for ever (a spinner) is not waited for.
_READY = """async () => {
    if (document.readyState !== "complete")
        await new Promise(done => addEventListener("load", done, { once: true }));
    const faces = [...document.fonts];
    const loaded = await Promise.allSettled(faces.map(face => face.load()));
    await document.fonts.ready;
    const moves = document.getAnimations().filter(
        move => move.playState === "running" && move.effect?.getComputedTiming().endTime < Infinity);
    await Promise.allSettled(moves.map(move => move.finished));
    return faces.filter((_, n) => loaded[n].status === "rejected").map(face => face.family);
}"""


class FontsMissing(AssertionError):
    """A face that the page declares cannot be loaded, so icons stand there as words."""

    def __init__(self, families: list[str], url: str) -> None:
        self.families = families
        super().__init__(f"on {url}: cannot load the font {', '.join(families)}")


@cache
def _source() -> str:
    return _AXE.read_text()


def wait_until_drawn(page: Page) -> None:
    """Wait until a page is loaded, its fonts too, and nothing moves or changes its colour any more.

    Until its font is there, an icon is the name of the icon: wider, and judged as text.

    Raises: FontsMissing.
    """
    missing: list[str] = page.evaluate(_READY)
    if missing:
        raise FontsMissing(sorted({family.strip('"') for family in missing}), page.url)


def find_violations(page: Page) -> list[str]:
    """Name what axe-core finds serious or critical: rule, sentence and the elements, one a line."""
    wait_until_drawn(page)
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())
    found: list[dict[str, Any]] = page.evaluate(_RUN)
    return [
        f"{rule['id']} ({rule['impact']}): {node['failureSummary']}\n    {node['html'][:300]}"
        for rule in found
        if rule["impact"] in _SERIOUS
        for node in rule["nodes"]
    ]


def assert_accessible(page: Page) -> None:
    """Fail with what axe-core finds, in words."""
    violations = find_violations(page)
    assert not violations, f"on {page.url}:\n" + "\n".join(violations)
