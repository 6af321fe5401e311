"""`make bench`: each measure beside its yardstick, in turns, medians of five, ratios of one run.

`python -m benchmarks latency` measures a part; with `--write` it takes the place of its last run.
"""

import argparse
import os
import statistics
import sys
from datetime import date

import django

from benchmarks import results, stack
from benchmarks.results import Result

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
EVENTS = int(os.environ.get("BENCH_EVENTS", "10000"))
MANY_TENANTS = int(os.environ.get("BENCH_TENANTS", "1000"))
BOOKINGS = 200  # a tenant and run, by the engine
NAIVE_BOOKINGS = 20


def main() -> None:
    """Measure and print; write the results of a whole run, or of parts if wanted."""
    parts = {
        "throughput": _throughput, "tenants": _many_tenants, "bookings": _bookings,
        "latency": _latency, "claim": _claim, "isolation": _isolation, "idle": _idle,
    }  # fmt: skip
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(parts), help=", ".join(parts))
    parser.add_argument("--write", action="store_true", help="keep the parts' results, too")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(parts):
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(parts)}")
    with stack.servers():
        django.setup()
        from benchmarks.tenants import make  # noqa: PLC0415 - needs django.setup()

        tenants = make()
        measured = {}
        for name in options.parts:
            measured |= parts[name](tenants)
    is_whole = options.parts == list(parts)
    if is_whole or options.write:
        results.write(measured, is_whole=is_whole)
    print(results.show(measured))


def _throughput(tenants: list) -> dict[str, Result]:
    from benchmarks import throughput  # noqa: PLC0415 - needs django.setup()

    return throughput.measure(tenants, events=EVENTS, runs=RUNS)


def _bookings(tenants: list) -> dict[str, Result]:
    from apps.events.store import EventStore  # noqa: PLC0415 - needs django.setup()
    from benchmarks import bookings, task_each  # noqa: PLC0415
    from benchmarks.pipeline import count_done  # noqa: PLC0415
    from pms_events.publishing import bind  # noqa: PLC0415

    ours, naive = [], []
    engine = stack.engine()
    task_worker = stack.worker(
        ["events.chores"], processes=2, name="tasks", program="benchmarks.task_each"
    )
    for run in range(-1, RUNS):
        effects = bookings.effects(tenants)
        with stack.running({"tasks": task_worker}):
            bind(task_each.TaskEachStore())
            before = count_done(tenants)
            wanted = before + NAIVE_BOOKINGS * len(tenants) * 3  # record, plan, count
            naive_rate = bookings.per_second(
                tenants, each=NAIVE_BOOKINGS, prefix=f"n{run}", first=date(2030 + run, 1, 1),
                is_idle=lambda wanted=wanted: count_done(tenants) >= wanted,
            )  # fmt: skip
            bind(EventStore())
        _check_effects(effects, bookings.effects(tenants), NAIVE_BOOKINGS * len(tenants))
        effects = bookings.effects(tenants)
        with stack.running(engine):
            rate = bookings.per_second(
                tenants, each=BOOKINGS, prefix=f"e{run}", first=date(2040 + run, 1, 1),
                is_idle=bookings.engine_is_idle,
            )  # fmt: skip
        _check_effects(effects, bookings.effects(tenants), BOOKINGS * len(tenants))
        print(f"run {run}: bookings with effects {rate:.0f}/s, a task a handler {naive_rate:.0f}/s")
        if run >= 0:
            ours.append(rate)
            naive.append(naive_rate)
    return {
        "P4 bookings with effects / naive": results.ratio(
            [a / b for a, b in zip(ours, naive, strict=True)], at_least=2, unit="x naive"
        ),
        "   engine, bookings": results.figure(ours, unit="bookings/s"),
        "   naive, bookings": results.figure(naive, unit="bookings/s"),
    }


def _check_effects(before: tuple, after: tuple, count: int) -> None:
    made = tuple(a - b for a, b in zip(after, before, strict=True))
    if made != (count, count, count):
        raise RuntimeError(f"effects are {made}, not {count} each: the comparison is void")


def _latency(tenants: list) -> dict[str, Result]:
    from apps.tenants.keys import create_key  # noqa: PLC0415 - needs django.setup()
    from apps.tenants.models import Tenant  # noqa: PLC0415
    from benchmarks import isolation, latency  # noqa: PLC0415
    from config.servers import free_port  # noqa: PLC0415

    key = create_key(Tenant.objects.get(id=tenants[0].id), name="bench").text
    port = free_port()
    commands = {
        "web": f"{sys.executable} -m gunicorn config.wsgi --bind 127.0.0.1:{port} "
        "--worker-class gthread --workers 2 --threads 8 --log-level error",
        "router": stack.worker(stack.QUEUES, processes=2, name="router"),
        "automation": stack.worker(["events.automation"], processes=1, name="automation"),
    }
    base_url = f"http://127.0.0.1:{port}"
    medians, worst = [], []
    with stack.running(commands):
        stack.wait_until(lambda: isolation.is_answering(base_url))
        latency.milliseconds(base_url, key, tenants[0], latency.plain("warm", 10))
        for run in range(RUNS):
            events = latency.plain(f"latency-{run}", 100)
            waits = sorted(latency.milliseconds(base_url, key, tenants[0], events))
            medians.append(statistics.median(waits))
            worst.append(waits[98])
            print(f"run {run}: POST to done p50 {medians[-1]:.1f} ms, p99 {worst[-1]:.1f} ms")
    return {
        "P5 POST to done, p50": results.at_most(medians, limit=50, unit="ms"),
        "P5 POST to done, p99": results.at_most(worst, limit=250, unit="ms"),
    }


def _claim(tenants: list) -> dict[str, Result]:
    from benchmarks import claim_cost  # noqa: PLC0415 - needs django.setup()

    ratios, by_rows_alone = [], []
    for run in range(RUNS):
        claim_cost.empty(tenants[0])
        without = claim_cost.milliseconds(tenants[1], rounds=40)
        cap = claim_cost.pause(tenants[0])
        before = claim_cost.milliseconds(tenants[1], rounds=40)
        claim_cost.fill(tenants[0], cap)
        full = claim_cost.milliseconds(tenants[1], rounds=40)
        print(
            f"run {run}: a claim of 500 takes {without:.1f} ms, {before:.1f} ms where anything is "
            f"paused, {full:.1f} ms with that among a million rows"
        )
        ratios.append(full / without)
        by_rows_alone.append(full / before)
    claim_cost.empty(tenants[0])
    return {
        "P7 claim among a million rows / empty": results.at_most(ratios, limit=1.2, unit="x empty"),
        "   the same / empty with the same pause": results.at_most(
            by_rows_alone, limit=1.2, unit="x empty and paused"
        ),
    }


def _many_tenants(tenants: list) -> dict[str, Result]:
    from benchmarks import many_tenants, pipeline  # noqa: PLC0415 - needs django.setup()

    many = many_tenants.copy_tenant(tenants[0], count=MANY_TENANTS)
    each_of_many, each_of_few = 20, 20 * len(many) // len(tenants)
    engine = stack.engine()
    ratios, rates = [], []
    for run in range(-1, RUNS):
        few_rate, many_rate = 0.0, 0.0
        with stack.running(engine):
            pipeline.events_per_second(tenants[:1], each=10, run=-500 - run)
            few_rate = pipeline.events_per_second(tenants, each=each_of_few, run=500 + run)
            many_rate = pipeline.events_per_second(many, each=each_of_many, run=500 + run)
        print(f"run {run}: {len(many)} tenants {many_rate:.0f}/s, {len(tenants)} {few_rate:.0f}/s")
        if run >= 0:
            ratios.append(many_rate / few_rate)
            rates.append(many_rate)
    if (done := pipeline.count_done(many)) != each_of_many * len(many) * (RUNS + 1):
        raise RuntimeError(
            f"{done} deliveries of the many tenants are done: the comparison is void"
        )
    return {
        "P3 a thousand tenants / ten": results.ratio(ratios, at_least=0.5, unit="x ten tenants"),
        "   engine, a thousand tenants": results.figure(rates, unit="events/s"),
    }


def _isolation(tenants: list) -> dict[str, Result]:
    from benchmarks import isolation  # noqa: PLC0415 - needs django.setup()

    hanging, dumped = [], []
    with isolation.system() as base_url:
        for run in range(RUNS):
            hanging.append(isolation.bookings_beside_hanging(base_url, tenants, run=run))
            print(f"run {run}: bookings p95 {hanging[-1]}")
        for run in range(RUNS):
            dumped.append(isolation.tenant_beside_dump(base_url, tenants, run=run))
            print(f"run {run}: another tenant's p95 {dumped[-1]}")
    return {
        "P8 bookings p95 beside hanging": results.at_most(
            [waits.loaded / waits.idle for waits in hanging], limit=1.5, unit="x idle"
        ),
        "P8 tenant's p95 beside a dump": results.at_most(
            [waits.loaded / waits.idle for waits in dumped], limit=10, unit="x idle"
        ),
        "P8 the same": results.at_most([w.loaded for w in dumped], limit=1000, unit="ms"),
    }


def _idle(tenants: list) -> dict[str, Result]:
    from benchmarks import idle  # noqa: PLC0415 - it starts a stack of its own

    cpu, memory = idle.measure(runs=RUNS)
    return {
        "P9 idle stack, share of a core": results.at_most(cpu, limit=3, unit="%"),
        "P9 idle stack, memory (PSS)": results.at_most(memory, limit=1500, unit="MB"),
    }


if __name__ == "__main__":
    main()
