"""The table of a chaos run, for the terminal and for `docs/chaos-results.md`."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.ledger import Finding
from tests.chaos.watch import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run gave. Rates are settled deliveries a second."""

    seed: int
    broker: str
    minutes: float
    faults: Sequence[Fault]
    findings: Sequence[Finding]
    resent: int
    rate_before: float
    rate_during: float
    rate_after: float

    @property
    def is_good(self) -> bool:
        recovered = all(fault.recovered_after is not None for fault in self.faults)
        return recovered and not any(finding.broken for finding in self.findings)


def as_markdown(result: Result) -> str:
    """Write the result as a page."""
    lines = [
        f"`make chaos` with seed {result.seed} on {result.broker}: {len(result.faults)} faults in "
        f"{result.minutes:.1f} minutes, under load from three tenants; clients had to send "
        f"{result.resent} times again.",
        "",
        "| promise | found | broken |",
        "|---|---|---|",
    ]
    for finding in result.findings:
        broken = f"**{len(finding.broken)}**: {finding.broken[0]}" if finding.broken else "none"
        lines.append(f"| {finding.promise} | {finding.found} | {broken} |")
    lines += ["", "| fault | times | recovered, median | slowest |", "|---|---|---|---|"]
    by_kind: dict[str, list[float | None]] = defaultdict(list)
    for fault in result.faults:
        by_kind[fault.kind].append(fault.recovered_after)
    for kind, times in sorted(by_kind.items()):
        known = [t for t in times if t is not None]
        median = f"{statistics.median(known):.1f} s" if known else "-"
        slowest = f"{max(known):.1f} s" if len(known) == len(times) else "**never**"
        lines.append(f"| {kind} | {len(times)} | {median} | {slowest} |")
    lines += [
        "",
        f"Settled a second: {result.rate_before:.0f} before the faults, {result.rate_during:.0f} "
        f"among them, {result.rate_after:.0f} after them.",
    ]
    return "\n".join(lines)
