"""One chaos run: start, load, faults in their order, rest, and the reckoning."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg2
import requests
from psycopg2 import sql

from tests.chaos.faults import FAULTS, Ground, draw
from tests.chaos.handlers import JOURNAL
from tests.chaos.ledger import check
from tests.chaos.load import Client
from tests.chaos.receiver import Outside
from tests.chaos.report import Result
from tests.chaos.stack import TENANTS, ChaosStack
from tests.chaos.watch import Fault, Watch

_UNDISTURBED_SECONDS = 8.0
_SETTLE_SECONDS = 150.0
_UP_SECONDS = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do. `pause`: seconds between faults; `clients` of each tenant."""

    seed: int
    faults: int
    broker: str = "valkey"
    pause: float = 4.0
    clients: int = 2


def run(plan: Plan, *, say: Callable[[str], None]) -> Result:
    """Do it. Call it from the main thread: servers end with the thread that starts them."""
    outside = Outside()
    stack = ChaosStack(broker=plan.broker, receiver=outside.url)
    stop = threading.Event()
    watch = Watch(stack.database_url)
    try:
        stack.start(prepare=_make_journals)
        say("the stack starts")
        _wait(stack, lambda: _is_up(stack), _UP_SECONDS, "the stack did not come up")
        clients = _clients(stack, plan)
        threads = [threading.Thread(target=c.run, args=(stop,), daemon=True) for c in clients]
        watch.start()
        for thread in threads:
            thread.start()
        began = time.monotonic()
        ground = Ground(stack=stack, chance=random.Random(plan.seed))
        _let(stack, ground, _UNDISTURBED_SECONDS)
        calm_until = time.monotonic()
        faults = _break_things(ground, plan, watch, say)
        _let(stack, ground, 0)
        while ground.later:
            _let(stack, ground, 0.2)
        _wait(
            stack, lambda: all(f.recovered_after is not None for f in faults), _SETTLE_SECONDS, ""
        )
        calm_again = time.monotonic()
        _let(stack, ground, _UNDISTURBED_SECONDS)
        ended = time.monotonic()
        stop.set()
        _wait(stack, lambda: not any(t.is_alive() for t in threads), 60, "clients did not end")
        _wait(stack, lambda: watch.left == (0, 0), _SETTLE_SECONDS, "")
        watch.end()
        watch.measure(faults)
        findings = check(stack.database_url, clients, outside.talks, ground.frozen)
        return Result(
            seed=plan.seed,
            broker=plan.broker,
            minutes=(ended - began) / 60,
            faults=faults,
            findings=findings,
            resent=sum(client.resent for client in clients),
            rate_before=watch.rate(began + 2, calm_until),
            rate_during=watch.rate(calm_until, calm_again),
            rate_after=watch.rate(calm_again, ended),
        )
    finally:
        stop.set()
        stack.stop()
        outside.close()


def _break_things(
    ground: Ground, plan: Plan, watch: Watch, say: Callable[[str], None]
) -> list[Fault]:
    faults = []
    for n, kind in enumerate(draw(plan.faults, ground.chance), start=1):
        fault = Fault(kind=kind, at=time.monotonic())
        FAULTS[kind][0](ground)
        watch.note(fault)
        faults.append(fault)
        say(f"{n:>4}/{plan.faults}  {kind}  (left: {watch.left[0]} arrivals, {watch.left[1]} owed)")
        _let(ground.stack, ground, plan.pause * ground.chance.uniform(0.5, 1.5))
    return faults


def _let(stack: ChaosStack, ground: Ground, seconds: float) -> None:
    """Let it run for a while: start again what has died, undo what is due."""
    end = time.monotonic() + seconds
    while True:
        stack.supervisor.poll()
        ground.do_what_is_due()
        if time.monotonic() >= end:
            return
        time.sleep(0.1)


def _wait(stack: ChaosStack, condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Wait for a condition. Raises: RuntimeError; without a message the reckoning tells instead."""
    end = time.monotonic() + seconds
    while not condition():
        stack.supervisor.poll()
        if time.monotonic() > end:
            if otherwise:
                raise RuntimeError(otherwise)
            return
        time.sleep(0.1)


def _is_up(stack: ChaosStack) -> bool:
    try:
        parts = requests.get(f"{stack.base_url}/readyz", timeout=5).json()["parts"]
    except (requests.RequestException, ValueError, KeyError):
        return False
    return all(part["ok"] for part in parts.values())


def _make_journals(stack: ChaosStack) -> None:
    for tenant in TENANTS:
        with psycopg2.connect(stack.database_url) as connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(tenant)))
            cursor.execute(JOURNAL)
        stack.keys[tenant] = stack.manage("create_api_key", "--tenant", tenant).strip()


def _clients(stack: ChaosStack, plan: Plan) -> list[Client]:
    return [
        Client(
            tenant=tenant,
            name=f"c{n}",
            key=stack.keys[tenant].splitlines()[-1],
            base_url=lambda: stack.base_url,
            seed=plan.seed * 100 + n,
            pause=0.12,
        )
        for tenant in TENANTS
        for n in range(plan.clients)
    ]
