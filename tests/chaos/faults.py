"""The faults: what is done to a running stack, and how it is undone when that takes time."""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil
import psycopg2

from tests.chaos.ledger import Frozen
from tests.chaos.stack import LEASE_SECONDS, WORKERS, ChaosStack

_LATER = list[tuple[float, Callable[[], None]]]


@dataclass(slots=True, kw_only=True)
class Ground:
    """What faults work on. `later`: what is still to be done, and at which monotonic time.

    frozen: which processes were frozen beyond their lease, and when.
    """

    stack: ChaosStack
    chance: random.Random
    later: _LATER = field(default_factory=list)
    frozen: list[Frozen] = field(default_factory=list)

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self.later.append((time.monotonic() + seconds, act))

    def do_what_is_due(self) -> None:
        due = [entry for entry in self.later if entry[0] <= time.monotonic()]
        for entry in sorted(due, key=lambda e: e[0]):
            self.later.remove(entry)
            entry[1]()


def _signal(pids: list[int], how: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            continue  # it died by itself, or of an earlier fault


def _family(ground: Ground, name: str) -> list[int]:
    """The process of this name and its children; none while it is being started again."""
    try:
        head = psutil.Process(ground.stack.supervisor.pid_of(name))
        return [head.pid, *(child.pid for child in head.children(recursive=True))]
    except (KeyError, psutil.NoSuchProcess):
        return []


def _kill(name: str) -> Callable[[Ground], None]:
    def kill(ground: Ground) -> None:
        _signal(_family(ground, name), signal.SIGKILL)

    return kill


def kill_a_worker(ground: Ground) -> None:
    """SIGKILL of a worker with all that it has claimed."""
    _signal(_family(ground, ground.chance.choice(WORKERS)), signal.SIGKILL)


def kill_a_child(ground: Ground) -> None:
    """SIGKILL of one process of a worker; its head starts another."""
    family = _family(ground, ground.chance.choice(WORKERS))
    if len(family) > 1:
        _signal([ground.chance.choice(family[1:])], signal.SIGKILL)


def kill_a_worker_again_and_again(ground: Ground) -> None:
    """The same worker, three times while it comes back."""
    name = ground.chance.choice(WORKERS)
    for seconds in (0.0, 2.0, 4.0):
        ground.after(seconds, lambda: _signal(_family(ground, name), signal.SIGKILL))


def stop_a_worker_gently(ground: Ground) -> None:
    """SIGTERM: it gives back what it has not started."""
    _signal(_family(ground, ground.chance.choice(WORKERS))[:1], signal.SIGTERM)


def freeze_a_worker_beyond_its_lease(ground: Ground) -> None:
    """SIGSTOP, and SIGCONT when its leases are over: it wakes with verdicts that nobody wants."""
    family = _family(ground, ground.chance.choice(WORKERS))
    frozen = Frozen(pids=frozenset(family), since=time.monotonic())
    ground.frozen.append(frozen)
    _signal(family, signal.SIGSTOP)

    def wake() -> None:
        frozen.until = time.monotonic()
        _signal(family, signal.SIGCONT)

    ground.after(LEASE_SECONDS + 2, wake)


def _connect(ground: Ground) -> "psycopg2.extensions.connection":
    connection = psycopg2.connect(ground.stack.database_url, connect_timeout=5)
    connection.autocommit = True
    return connection


def cut_connections(ground: Ground) -> None:
    """pg_terminate_backend of a few at random, again and again for two seconds."""
    for n in range(8):
        ground.after(n * 0.25, lambda: _cut_some(ground))


def _cut_some(ground: Ground) -> None:
    try:
        with _connect(ground).cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                " ORDER BY random() LIMIT 4) AS few"
            )
    except psycopg2.OperationalError:
        return  # another fault has the database; that one counts


def restart_postgres(ground: Ground) -> None:
    """An immediate shutdown, as by a power cut, and the start that replays the log."""
    ground.stack.restart_postgres()


def eat_the_pool(ground: Ground) -> None:
    """Idle clients take every connection that the server has left, for three seconds."""
    taken = []
    try:
        while True:
            taken.append(psycopg2.connect(ground.stack.database_url, connect_timeout=5))
    except psycopg2.OperationalError:
        ground.after(3, lambda: [connection.close() for connection in taken] and None)


def restart_broker(ground: Ground) -> None:
    """SIGKILL of the broker, and a new one."""
    ground.stack.broker.kill()
    ground.stack.broker.start()


def lose_broker(ground: Ground) -> None:
    """No broker for eight seconds."""
    ground.stack.broker.kill()
    ground.after(8, lambda: _bring_back(ground))


def flush_broker(ground: Ground) -> None:
    """Every message is gone; what is away comes back first."""
    _bring_back(ground)
    ground.stack.broker.flush()


def _bring_back(ground: Ground) -> None:
    if not ground.stack.broker.is_up:
        ground.stack.broker.start()


FAULTS: dict[str, tuple[Callable[[Ground], None], int]] = {
    "worker killed": (kill_a_worker, 5),
    "worker killed three times": (kill_a_worker_again_and_again, 2),
    "one process of a worker killed": (kill_a_child, 3),
    "worker told to stop": (stop_a_worker_gently, 2),
    "worker frozen beyond its lease": (freeze_a_worker_beyond_its_lease, 2),
    "router and sweep killed": (_kill("router"), 3),
    "beat killed": (_kill("beat"), 2),
    "web killed": (_kill("web"), 3),
    "connections cut in a stream": (cut_connections, 3),
    "PostgreSQL restarted at once": (restart_postgres, 2),
    "connection pool eaten": (eat_the_pool, 2),
    "broker killed and restarted": (restart_broker, 2),
    "broker away for 8 s": (lose_broker, 2),
    "broker flushed": (flush_broker, 2),
}
"""Each fault with its weight in the draw."""


def draw(count: int, chance: random.Random) -> list[str]:
    """Draw a sequence of faults: each kind once if there is room, the rest by weight, shuffled."""
    names = list(FAULTS)
    chance.shuffle(names)
    rest = chance.choices(
        list(FAULTS),
        weights=[weight for _, weight in FAULTS.values()],
        k=max(0, count - len(names)),
    )
    drawn = (names + rest)[:count]
    chance.shuffle(drawn)
    return drawn
