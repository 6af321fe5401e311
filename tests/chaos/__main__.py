"""`make chaos`: break a running stack on purpose, and count what is left.

python -m tests.chaos [--seed 7] [--faults 200] [--broker valkey|rabbitmq] [--write]
"""

import argparse
import signal
import sys
from pathlib import Path

from tests.chaos.report import as_markdown
from tests.chaos.run import Plan, run

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "chaos-results.md"
_HEAD = """# Chaos results

A stack of real processes (web, router and sweep, two workers of two processes each, beat, PostgreSQL, a
broker) is broken on purpose while six clients of three tenants send ordered streams of events. Each event is
owed to a handler with database effects, which writes into a journal without any unique constraint, and to one
that talks to a receiver. A fault counts as recovered when nothing that was accepted before it waits any more;
faults overlap, so a slow recovery may be the next fault's. A killed worker's deliveries come back when its
lease is over, 20.5 s here and a minute by default.

Two runs of one delivery at once are counted as the receiver sees them. Only the stale run of a worker that was
frozen beyond its lease is excused: in flight while it slept, or begun within five seconds of its waking.

Where the machine has other work, a backlog builds up, and the time until recovered is mostly that backlog;
"settling again" tells how soon work went on.

"""


def _write_page(before: str, told: str, broker: str) -> str:
    """Put a run in the place of the last one on the same broker; the other's stays."""
    kept = {
        name: text.strip()
        for name, _, text in (part.partition("\n") for part in before.split("\n## On ")[1:])
    }
    kept[broker] = told.strip()
    return _HEAD + "\n\n".join(f"## On {name}\n\n{kept[name]}" for name in sorted(kept)) + "\n"


def main() -> int:
    """Run, print the table, write the page; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="make chaos", description="Break a stack on purpose.")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--broker", choices=["valkey", "rabbitmq"], default="valkey")
    parser.add_argument("--pause", type=float, default=4.0, help="seconds between faults")
    parser.add_argument("--write", action="store_true", help="write docs/chaos-results.md")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # ends what it started
    plan = Plan(seed=chosen.seed, faults=chosen.faults, broker=chosen.broker, pause=chosen.pause)
    result = run(plan, say=lambda text: print(text, file=sys.stderr, flush=True))
    told = as_markdown(result)
    print(told)
    if chosen.write:
        PAGE.write_text(_write_page(PAGE.read_text() if PAGE.exists() else "", told, plan.broker))
    return 0 if result.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
