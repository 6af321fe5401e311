"""`make demo`: a story on a stack of its own, told live, checked at the end. Exit 0 only if all holds.

Two tenants take in bookings over HTTP in every form; an endpoint fails; a worker is killed; a person
corrects, retries and discards; the past is replayed. Then everything is counted.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from config.demo_checks import Check, check_everything, table
from config.demo_receiver import Receiver
from config.demo_traffic import (
    PROPERTY_OF,
    Client,
    add_property,
    booking_event,
    cancellation_event,
)
from config.run import prepare
from config.servers import free_port
from config.stack import Stack, StackError, open_stack

BOOKINGS = 60
_PATIENCE = 120
_FAST = {
    "PMS_LEASE_SECONDS": "21",
    "PMS_WEBHOOK_RETRY_ATTEMPTS": "3",
    "PMS_WEBHOOK_RETRY_FIRST_SECONDS": "0.5",
    "PMS_LOG_LEVEL": "ERROR",
    "WEB_CONCURRENCY": "1",
}


class Story:
    """The demo as it goes: clients of two tenants, a receiver, and the stack it may hurt."""

    def __init__(self, stack: Stack, demo: dict[str, Any], receiver: Receiver) -> None:
        self.stack = stack
        self.receiver = receiver
        self.clients = {n: Client(stack.base_url, t) for n, t in demo["tenants"].items()}
        self.sent: dict[str, int] = dict.fromkeys(self.clients, 0)
        self.units: dict[str, list[str]] = {}
        self.first = datetime.now(UTC).date() + timedelta(days=10)

    def tell(self, text: str) -> None:
        print(f"  {text}", flush=True)

    def send(self, tenant: str, events: list[dict[str, Any]]) -> None:
        """POST events and count those accepted; nothing may be rejected."""
        answer = self.clients[tenant].post("events", events)
        if answer["rejected"]:
            raise StackError(f"the demo's own events were rejected: {answer['results']}")
        self.sent[tenant] += answer["accepted"]

    def wait(self, what: str, condition: Callable[[], bool]) -> None:
        """Poll while the stack is kept alive; shows progress once a second."""
        end = time.monotonic() + _PATIENCE
        shown = 0.0
        while not condition():
            if time.monotonic() > end:
                raise StackError(f"{what}: did not happen within {_PATIENCE} s")
            if self.stack.supervisor is not None:
                self.stack.supervisor.poll()
            if time.monotonic() - shown > 1:
                shown = time.monotonic()
                self.tell(f"  … {what}: {self.backlog()} deliveries unfinished")
            time.sleep(0.1)

    def backlog(self) -> int:
        total = 0
        for client in self.clients.values():
            categories = client.get("stats")["categories"]
            total += sum(sum(entry["backlog"].values()) for entry in categories.values())
        return total

    def is_quiet(self) -> bool:
        """Nothing unrouted, nothing unfinished."""
        for client in self.clients.values():
            for state in ("accepted", "in_progress"):
                if client.get("events", state=state, limit=1)["results"]:
                    return False
        return self.backlog() == 0


def set_scene(story: Story) -> None:
    """Properties, units, and two endpoints a tenant: one that works and one that is down."""
    for name, client in story.clients.items():
        story.units[name] = add_property(client, PROPERTY_OF[name])
        for path, patterns in (("good", ["booking.*"]), ("down", ["booking.cancelled"])):
            client.post(
                "endpoints",
                {"url": f"{story.receiver.url}/{name}/{path}", "patterns": patterns},
            )
    story.tell(
        "two tenants with their properties, each with a working endpoint and one that is down"
    )


def send_bookings(story: Story) -> None:
    """Bookings of two channels, in batches, some delivered again as vendors do."""
    for name in story.clients:
        events = [_booking(story, name, n) for n in range(BOOKINGS)]
        for start in range(0, BOOKINGS, 20):
            story.send(name, events[start : start + 20])
        story.send(name, events[:10])  # the vendor's second delivery: duplicates
        story.send(
            name,
            [cancellation_event(f"{name}-{n}", channel=_channel(n), revision=2) for n in range(3)],
        )
    story.tell(f"{BOOKINGS} bookings and 3 cancellations each, 10 of them delivered twice")


def _channel(n: int) -> str:
    return ("booking.com", "airbnb")[n % 2]


def _booking(story: Story, tenant: str, n: int) -> dict[str, Any]:
    units = story.units[tenant]
    arrival: date = story.first + timedelta(days=3 * (n // len(units)))
    return booking_event(
        "booking.created", f"{tenant}-{n}", property_id=PROPERTY_OF[tenant],
        unit=units[n % len(units)], arrival=arrival, nights=3, channel=_channel(n),
    )  # fmt: skip


def send_what_fails(story: Story) -> None:
    """A booking for a property that nobody made, one to correct and one to discard."""
    for name in story.clients:
        bad = [
            booking_event(
                "booking.created", f"{name}-{ref}", property_id="old-mill", unit="mill-1",
                arrival=story.first + timedelta(days=200), nights=2,
            )
            for ref in ("typo", "hopeless")
        ]  # fmt: skip
        story.send(name, bad)
    story.tell("two bookings each for a property that does not exist")


def kill_a_worker(story: Story) -> None:
    """SIGKILL the bookings worker with its children while it has work."""
    assert story.stack.supervisor is not None
    for name in story.clients:
        events = [
            booking_event(
                "booking.created", f"{name}-late-{n}", property_id=PROPERTY_OF[name],
                unit=story.units[name][n % len(story.units[name])],
                arrival=story.first + timedelta(days=300 + 3 * (n // len(story.units[name]))),
                nights=3,
            )
            for n in range(BOOKINGS)
        ]  # fmt: skip
        story.send(name, events)
    os.killpg(story.stack.supervisor.pid_of("bookings"), signal.SIGKILL)
    story.tell(f"{BOOKINGS} more bookings each, and the bookings worker killed while at it")


def review(story: Story) -> None:
    """What a person does: correct one, discard one, mend the endpoint and retry the rest."""
    story.receiver.mend()
    for name, client in story.clients.items():
        letters = client.get("dead-letters", limit=100)["results"]
        typo = next(x for x in letters if x["subject"] == f"{name}-typo")
        hopeless = next(x for x in letters if x["subject"] == f"{name}-hopeless")
        data = client.get(f"events/{typo['event_uid']}")["data"]
        data["property_id"] = PROPERTY_OF[name]
        data["stays"][0]["unit_id"] = story.units[name][0]
        client.post(f"dead-letters/{typo['id']}/retry", {"data": data, "note": "wrong property"})
        client.post(f"dead-letters/{hopeless['id']}/discard", {"note": "a test of the channel"})
        rest = [x["id"] for x in letters if x["id"] not in (typo["id"], hopeless["id"])]
        client.post(
            "dead-letters/bulk", {"action": "retry", "ids": rest, "note": "the endpoint is mended"}
        )
        story.sent[name] += 1  # the corrected event
        story.tell(f"{name}: 1 corrected, 1 discarded, {len(rest)} retried after mending")


def replay(story: Story) -> None:
    """Deliver a channel's bookings again: nothing may change, nothing may be sent out."""
    for client in story.clients.values():
        chosen = {"filter": {"type": "booking.created", "source": "airbnb"}}
        preview = client.post("replays", {**chosen, "dry_run": True})
        started = client.post("replays", {**chosen, "reason": "demo"})
        story.wait(
            f"replay of {preview['total']} events, {sum(preview['suppressed'].values())} "
            "outside deliveries suppressed",
            partial(_is_replayed, client, started["id"]),
        )


def _is_replayed(client: Client, pk: int) -> bool:
    return bool(client.get(f"replays/{pk}")["state"] == "done")


def play(story: Story) -> list[Check]:
    """The whole story, then the count."""
    set_scene(story)
    send_bookings(story)
    send_what_fails(story)
    story.wait("processing", lambda: story.receiver.refused() and story.is_quiet())
    kill_a_worker(story)
    story.wait("recovering", story.is_quiet)
    review(story)
    story.wait("reviewing", story.is_quiet)
    before = {name: story.receiver.count(name) for name in story.clients}
    replay(story)
    story.wait("replaying", story.is_quiet)
    after = {name: story.receiver.count(name) for name in story.clients}
    return check_everything(
        story.clients, story.receiver, sent=story.sent, resent=before != after,
        stays=2 * BOOKINGS - 3 + 1,
    )  # fmt: skip


def main() -> int:
    """Gives the exit status: 0 when every check holds."""
    folder = Path(tempfile.mkdtemp(prefix="pms-demo-"))
    stack = None
    print("A stack of its own …", flush=True)
    try:
        given = {k: v for k, v in os.environ.items() if k not in _OWN}
        stack = open_stack(folder, port=free_port(), given={**given, **_FAST})
        demo = prepare(stack, folder / "demo.json")
        stack.start_processes()
        with Receiver() as receiver:
            checks = play(Story(stack, demo, receiver))
    except StackError as error:
        print(f"make demo: {error}", file=sys.stderr)
        return 1
    finally:
        if stack is not None:
            stack.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(table(checks))
    holds = all(check.holds for check in checks)
    print("Everything holds." if holds else "Something does NOT hold.")
    return 0 if holds else 1


_OWN = {"DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "PMS_VAR_DIR", "PORT"}

if __name__ == "__main__":
    sys.exit(main())
