"""P1 and P2: the bulk pipeline beside what one would write or take instead, in turns.

Naive: one Django row and one Celery task an event. Bare SQL: the same rows, written and moved with
nothing around them. Raw Celery and Procrastinate run a task that does nothing: no event log, no tenants,
no order, no fairness, so they show what a job costs elsewhere, not what the engine does.
"""

import os
import subprocess
import sys
from collections import defaultdict

from apps.tenants.entering import TenantRef
from benchmarks import bare_sql, pipeline, results, stack
from benchmarks.peers import procrastinate_runner as procrastinate
from benchmarks.peers import raw_celery
from benchmarks.results import Result

NAIVE_EVENTS = 600
CELERY_TASKS = 2000
PROCRASTINATE_JOBS = 1000


def measure(tenants: list[TenantRef], *, events: int, runs: int) -> dict[str, Result]:
    """Give ratios and rates; the first round warms up and is not counted."""
    os.environ["NAIVE_DATABASE_URL"] = stack.make_database("naive")
    _publish_naively("make tables", 0)
    peer = stack.make_database("procrastinate") if procrastinate.install() else None
    if peer:
        procrastinate.make_schema(peer)
    rates: dict[str, list[float]] = defaultdict(list)
    for run in range(-1, runs):
        found = {
            "naive": _naive(run),
            "bare SQL": bare_sql.events_per_second(tenants, each=events // len(tenants), run=run),
            "engine": _engine(tenants, each=events // len(tenants), run=run),
            "raw Celery": _raw_celery(),
        }
        if peer:
            found["Procrastinate"] = _procrastinate(peer)
        print(f"run {run}: " + ", ".join(f"{name} {rate:.0f}/s" for name, rate in found.items()))
        for name, rate in found.items() if run >= 0 else ():
            rates[name].append(rate)
    return _as_results(rates)


def _as_results(rates: dict[str, list[float]]) -> dict[str, Result]:
    def against(name: str) -> list[float]:
        return [ours / theirs for ours, theirs in zip(rates["engine"], rates[name], strict=True)]

    found = {
        "P1 bulk pipeline / naive": results.ratio(against("naive"), at_least=25, unit="x naive"),
        "P2 bulk pipeline / bare SQL": results.ratio(
            against("bare SQL"), at_least=0.5, unit="x bare SQL"
        ),
        "   engine, bulk": results.figure(rates["engine"], unit="events/s"),
        "   bare SQL of the same rows": results.figure(rates["bare SQL"], unit="events/s"),
        "   naive": results.figure(rates["naive"], unit="events/s"),
        "   raw Celery, no-op": results.figure(rates["raw Celery"], unit="tasks/s"),
    }
    if "Procrastinate" in rates:
        found["   Procrastinate, no-op"] = results.figure(rates["Procrastinate"], unit="jobs/s")
    return found


def _engine(tenants: list[TenantRef], *, each: int, run: int) -> float:
    before = pipeline.count_done(tenants)
    with stack.running(stack.engine()):
        pipeline.events_per_second(tenants[:1], each=10, run=-100 - run)
        rate = pipeline.events_per_second(tenants, each=each, run=run)
    done = pipeline.count_done(tenants) - before
    if done != each * len(tenants) + 10:
        raise RuntimeError(f"{done} deliveries done instead of {each * len(tenants) + 10}")
    return rate


def _naive(run: int) -> float:
    command = stack.worker(
        ["naive"], processes=2, name="naive", program="celery", app="benchmarks.naive"
    )
    with stack.running({"naive": command}, DJANGO_SETTINGS_MODULE="benchmarks.naive.settings"):
        _publish_naively(f"warm{run}", 10)
        return _publish_naively(str(run), NAIVE_EVENTS)


def _publish_naively(run: str, count: int) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.naive.publish", run, str(count)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "benchmarks.naive.settings"},
        cwd=stack.ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout or 0)


def _raw_celery() -> float:
    command = stack.worker(
        [raw_celery.QUEUE], processes=2, name="raw", program="celery",
        app="benchmarks.peers.raw_celery",
    )  # fmt: skip
    with stack.running({"raw": command}):
        raw_celery.tasks_per_second(10)
        rate = raw_celery.tasks_per_second(CELERY_TASKS)
        if (ran := raw_celery.count_run()) != CELERY_TASKS + 10:
            raise RuntimeError(f"{ran} tasks ran instead of {CELERY_TASKS + 10}")
    return rate


def _procrastinate(url: str) -> float:
    with stack.running(procrastinate.workers(url)):
        procrastinate.jobs_per_second(url, 10)
        return procrastinate.jobs_per_second(url, PROCRASTINATE_JOBS)
