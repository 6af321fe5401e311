"""`make pressure`: is the rate kept while the database is held back, flooded, and over a long time?

Every rate is compared with the undisturbed one of the same run. The engine is saturated throughout:
a backlog is kept before it, and what it settles is counted. `--scale 0.1` is a run of minutes.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import django

from benchmarks import stack
from benchmarks.results import write_section

FILE = Path(__file__).parent / "pressure.json"
BACKLOG = 10_000
TARGET = 0.8
WINDOW_SECONDS = 15.0


class Pressure:
    """One run against one running engine."""

    def __init__(self, tenants: list, scale: float) -> None:
        from benchmarks import feeding  # noqa: PLC0415 - needs django.setup()

        self._scale = scale
        self._feeder = feeding.Feeder(os.environ["DATABASE_URL"], tenants, prefix="p")
        self.results: dict[str, Any] = {}

    def run(self, parts: list[str], *, minutes: float) -> None:
        """Measure the parts, in their order."""
        from benchmarks import disturbing  # noqa: PLC0415 - needs django.setup()

        url = os.environ["DATABASE_URL"]
        idle_before = self._idle_cpu()
        self._feeder.keep_backlog(BACKLOG)
        self._rates(15)  # warms up
        if "snapshot" in parts:
            self._against_undisturbed("snapshot", disturbing.old_snapshot(url), seconds=180)
        if "idle" in parts:
            self._against_undisturbed("idle", disturbing.idle_in_transaction(url), seconds=180)
        if "burst" in parts:
            self._burst()
        if "soak" in parts:
            self._soak(minutes)
        self._drain()
        self.results["idle CPU, % of a core"] = {
            "before": round(idle_before, 2), "after": round(self._idle_cpu(), 2)
        }  # fmt: skip

    def _against_undisturbed(self, name: str, disturbance: Any, *, seconds: float) -> None:
        before = self._rates(seconds * self._scale / 3)
        with disturbance:
            during = self._rates(seconds * self._scale)
        self._rates(10)  # what had to wait is removed now
        after = self._rates(seconds * self._scale / 3)
        undisturbed = (_mean(before) + _mean(after)) / 2
        self._tell(
            name,
            undisturbed=undisturbed,
            during=_mean(during),
            kept=_mean(during) / undisturbed,
            last_window_kept=during[-1] / undisturbed,
            windows=during,
            undisturbed_windows=before + after,
        )

    def _burst(self) -> None:
        before = self._rates(30 * self._scale)
        self._drain()
        self._feeder.keep_rate(3 * _mean(before))
        fed = self._feeder.fed
        started = time.monotonic()
        during = self._rates(45 * self._scale)
        offered = (self._feeder.fed - fed) / (time.monotonic() - started)
        drained = self._drain()
        self._tell(
            "burst",
            undisturbed=_mean(before),
            offered=offered,
            during=_mean(during),
            kept=_mean(during) / _mean(before),
            windows=during,
            seconds_until_gone=drained,
        )

    def _soak(self, minutes: float) -> None:
        from benchmarks import gauges  # noqa: PLC0415 - needs django.setup()

        self._feeder.keep_backlog(BACKLOG)
        self._rates(10)
        first = self._rates(60)
        rates, sizes = [_mean(first)], [gauges.megabytes()]
        end = time.monotonic() + (minutes - 1) * 60
        while time.monotonic() < end:
            rates.append(_mean(self._rates(60)))
            sizes.append(gauges.megabytes())
        self._tell(
            "soak",
            undisturbed=rates[0],
            during=_mean(rates),
            kept=min(rates[len(rates) // 2 :]) / rates[0],
            windows=rates,
            megabytes=sizes,
        )

    def _rates(self, seconds: float) -> list[float]:
        """Served per second, in windows."""
        from benchmarks import gauges  # noqa: PLC0415 - needs django.setup()

        count = max(1, round(seconds / WINDOW_SECONDS))
        rates = []
        for _ in range(count):
            started, before = time.monotonic(), gauges.served()
            while time.monotonic() - started < seconds / count:
                self._feeder.served = gauges.served()
                time.sleep(0.05)
            rates.append((gauges.served() - before) / (time.monotonic() - started))
        return rates

    def _drain(self) -> float:
        """Feed no more, wait until all is done; gives how many seconds that took."""
        from benchmarks import gauges  # noqa: PLC0415 - needs django.setup()

        self._feeder.stop()
        started = time.monotonic()
        stack.wait_until(gauges.is_idle, seconds=1800, pause=0.1)
        if (done := gauges.served()) != self._feeder.fed:
            raise RuntimeError(f"{self._feeder.fed} events were fed and {done} are done")
        self._feeder.served = done
        return time.monotonic() - started

    def _idle_cpu(self) -> float:
        from benchmarks import gauges  # noqa: PLC0415 - needs django.setup()

        time.sleep(3)
        return gauges.cpu_percent(gauges.family(os.getpid()), seconds=20)

    def _tell(self, name: str, **found: Any) -> None:
        self.results[name] = _rounded({**found, "met": found["kept"] >= TARGET})
        print(f"{name}: {json.dumps(self.results[name])}", file=sys.stderr, flush=True)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _rounded(found: Any) -> Any:
    if isinstance(found, float):
        return round(found, 2) if found < 10 else round(found)
    if isinstance(found, list):
        return [_rounded(value) for value in found]
    if isinstance(found, dict):
        return {key: _rounded(value) for key, value in found.items()}
    return found


_SAID = {
    "snapshot": "a REPEATABLE READ reader holds vacuum back for three minutes",
    "idle": "four sessions idle in a transaction for three minutes",
    "burst": "45 seconds at three times what can be served",
    "soak": "twenty minutes, the slowest of the second half",
}


def as_markdown(results: dict[str, Any]) -> str:
    """The results as a table of the README."""
    lines = ["| pressure | undisturbed | under it | kept | target |", "|---|---|---|---|---|"]
    for name, said in _SAID.items():
        if found := results.get(name):
            missed = "" if found["met"] else " **(missed)**"
            lines.append(
                f"| {said} | {found['undisturbed']:g}/s | {found['during']:g}/s"
                f" | {found['kept']:g}{missed} | ≥ {TARGET:g} |"
            )
    return "\n".join([*lines, "", _afterwards(results)])


def _afterwards(results: dict[str, Any]) -> str:
    """What is left of it: the size of the hot tables over the long run, and what idling costs."""
    said = []
    if soak := results.get("soak"):
        first, *_, last = (sum(tables.values()) for tables in soak["megabytes"])
        said.append(
            f"The hot tables took {first:.0f} MB after the first of the twenty minutes"
            f" and {last:.0f} MB after the last."
        )
    if idle := results.get("idle CPU, % of a core"):
        said.append(
            f"Idle, the engine used {idle['before']:g} % of a core before all this"
            f" and {idle['after']:g} % after it."
        )
    return " ".join(said)


def show(results: dict[str, Any]) -> str:
    """The results as a table."""
    lines = [
        f"{'pressure':<10}{'undisturbed/s':>15}{'during/s':>10}{'kept':>7}  {'met':<5}windows/s"
    ]
    for name, found in results.items():
        if "kept" in found:
            windows = " ".join(f"{rate:g}" for rate in found["windows"])
            lines.append(
                f"{name:<10}{found['undisturbed']:>15g}{found['during']:>10g}{found['kept']:>7.2f}"
                f"  {'yes' if found['met'] else 'NO':<5}{windows}"
            )
        else:
            lines.append(f"{name}: {found}")
    return "\n".join(lines)


def main() -> None:
    """Measure and print; write the results of the parts that ran if wanted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pressure", description=__doc__)
    every = ["snapshot", "idle", "burst", "soak"]
    parser.add_argument("parts", nargs="*", default=every, help=", ".join(every))
    parser.add_argument("--scale", type=float, default=1.0, help="of the disturbances' lengths")
    parser.add_argument("--minutes", type=float, default=20, help="of the soak; it needs the disk")
    parser.add_argument(
        "--write", action="store_true", help="keep the parts' results in pressure.json"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(every):
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(every)}")
    with stack.servers():
        django.setup()
        from benchmarks import tenants  # noqa: PLC0415 - needs django.setup()

        pressure = Pressure(tenants.make(), options.scale)
        with stack.running(_commands()):
            pressure.run(options.parts, minutes=options.minutes)
    if options.write:
        kept = json.loads(FILE.read_text()) if FILE.exists() else {}
        kept |= pressure.results
        FILE.write_text(json.dumps(kept, indent=2) + "\n")
        write_section("pressure", as_markdown(kept))
    print(show(pressure.results))


def _commands() -> dict[str, str]:
    """The engine with two work processes, as P1 has them, and the sweep."""
    return {
        "router": stack.worker(
            ["events.route", "events.sweep", "events.chores"], processes=2, name="router"
        ),
        "work": stack.worker(["events.automation"], processes=2, name="work"),
        "beat": f"{sys.executable} -m celery -q -A config beat --loglevel ERROR --pidfile=",
    }


if __name__ == "__main__":
    main()
