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


@cache
def _source() -> str:
    return _AXE.read_text()


def find_violations(page: Page) -> list[str]:
    """Name what axe-core finds serious or critical: rule, sentence and the elements, one a line."""
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
