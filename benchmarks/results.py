"""Targets, medians, the file of the results, and the README's table of them."""

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = Path(__file__).parent / "results.json"
README = Path(__file__).parent.parent / "README.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One measure: the median of its runs against its target."""

    value: float
    target: str
    met: bool
    unit: str
    runs: list[float]


def ratio(runs: list[float], *, at_least: float, unit: str) -> Result:
    """A measure that should be large."""
    median = statistics.median(runs)
    return Result(
        value=round(median, 2), target=f">= {at_least:g}", met=median >= at_least, unit=unit,
        runs=[round(run, 2) for run in runs],
    )  # fmt: skip


def at_most(runs: list[float], *, limit: float, unit: str) -> Result:
    """A measure that should be small."""
    digits = 2 if limit < 10 else 1
    median = statistics.median(runs)
    return Result(
        value=round(median, digits), target=f"<= {limit:g}", met=median <= limit, unit=unit,
        runs=[round(run, digits) for run in runs],
    )  # fmt: skip


def figure(runs: list[float], *, unit: str) -> Result:
    """A measure without a target, shown for comparison. It moves with the machine."""
    value = round(statistics.median(runs))
    return Result(value=value, target="-", met=True, unit=unit, runs=[round(r) for r in runs])


def write(results: dict[str, Result], *, is_whole: bool) -> None:
    """Write the results file and the README's table of it; parts take the place of their last run."""
    kept = {} if is_whole else {k: Result(**v) for k, v in json.loads(FILE.read_text()).items()}
    results = kept | results
    FILE.write_text(json.dumps({k: asdict(v) for k, v in results.items()}, indent=2) + "\n")
    write_section("bench", as_markdown(results))


def write_section(name: str, text: str) -> None:
    """Replace what stands between the README's two marks of a section."""
    begin, end = f"<!-- {name}: written by make {name} -->", f"<!-- end of {name} -->"
    before, _, rest = README.read_text().partition(begin)
    _, _, after = rest.partition(end)
    README.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def as_markdown(results: dict[str, Result]) -> str:
    """The results as a table of the README."""
    lines = ["| measure | median | target | runs |", "|---|---|---|---|"]
    for name, result in results.items():
        target = "" if result.target == "-" else result.target.replace(">=", "≥").replace("<=", "≤")
        missed = "" if result.met else " **(missed)**"
        runs = ", ".join(f"{run:g}" for run in result.runs)
        lines.append(
            f"| {name.strip()} | {result.value:g} {result.unit}{missed} | {target} | {runs} |"
        )
    return "\n".join(lines)


def show(results: dict[str, Result]) -> str:
    """The results as a table."""
    lines = [f"{'measure':<34}{'median':>10}  {'target':<9}{'met':<5}unit"]
    for name, result in results.items():
        met = "-" if result.target == "-" else ("yes" if result.met else "NO")
        lines.append(f"{name:<34}{result.value:>10g}  {result.target:<9}{met:<5}{result.unit}")
    return "\n".join(lines)
