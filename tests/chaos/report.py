"""The table of a chaos run, for the terminal and for `docs/chaos-results.md`."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.ledger import Finding
from tests.chaos.watch import BESIDE, Fault


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
    lines += [
        "",
        f"Rates: settled deliveries a second, mean of the {BESIDE:g} seconds before and after.",
        "",
        "| fault | times | settling again, median | slowest | recovered, median | slowest | rate before"
        " | after |",
        "|---|---|---|---|---|---|---|---|",
    ]
    by_kind: dict[str, list[Fault]] = defaultdict(list)
    for fault in result.faults:
        by_kind[fault.kind].append(fault)
    for kind, faults in sorted(by_kind.items()):
        settling = _told([f.settling_after for f in faults])
        recovered = _told([f.recovered_after for f in faults])
        before = statistics.mean(f.rate_before for f in faults)
        after = statistics.mean(f.rate_after for f in faults)
        lines.append(
            f"| {kind} | {len(faults)} | {settling} | {recovered} | {before:.0f} | {after:.0f} |"
        )
    lines += [
        "",
        f"Settled a second: {result.rate_before:.0f} before the faults, {result.rate_during:.0f} "
        f"among them, {result.rate_after:.0f} after them.",
    ]
    return "\n".join(lines)


def _told(times: Sequence[float | None]) -> str:
    """Two columns: the median, and the slowest or that one never came."""
    known = [t for t in times if t is not None]
    median = f"{statistics.median(known):.1f} s" if known else "-"
    slowest = f"{max(known):.1f} s" if len(known) == len(times) else "**never**"
    return f"{median} | {slowest}"
