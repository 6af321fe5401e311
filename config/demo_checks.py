"""Counting at the end of the demo: nothing lost, nothing doubled, nothing crossed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.demo_receiver import Receiver
from config.demo_traffic import Client

OWN_TYPES = ("booking.created", "booking.modified", "booking.cancelled")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table: what must hold, what was seen."""

    what: str
    seen: str
    holds: bool


def check_everything(
    clients: Mapping[str, Client], receiver: Receiver, *, sent: Mapping[str, int], resent: bool,
    stays: int,
) -> list[Check]:  # fmt: skip
    """Ask the API and the receiver, and compare with what was sent."""
    checks: list[Check] = []
    for name, client in clients.items():
        events = _all(client, "events")
        posted = [e for e in events if e["type"] in OWN_TYPES]
        states = Counter(e["state"] for e in events)
        ended = states["done"] + states["discarded"] + states["failed"]
        letters = {
            state: len(client.get("dead-letters", state=state, limit=500)["results"])
            for state in ("open", "retrying", "corrected", "discarded")
        }
        unsettled = letters["open"] + letters["retrying"]
        reviewed = f"{letters['corrected']} corrected, {letters['discarded']} discarded"
        entries = _all(client, "calendar")
        doubled = len(entries) - len({(e["source"], e["booking_ref"], e["ref"]) for e in entries})
        figures = _all(client, "reports/occupancy")
        nights = sum(f["occupied_units"] for f in figures)
        booked = sum(len(e["nights"]) for e in entries)
        foreign = {s for s in receiver.subjects.get(name, set()) if not s.startswith(f"{name}-")}
        foreign |= {e["subject"] for e in posted if not e["subject"].startswith(f"{name}-")}
        told = f"{states['done']} done + {states['discarded']} discarded + {states['failed']} dead"
        checks += [
            Check(f"{name}: accepted events are in the log", f"{sent[name]} = {len(posted)}",
                  sent[name] == len(posted)),
            Check(f"{name}: every event ended (own ones too)", f"{len(events)} = {told}",
                  len(events) == ended),
            Check(f"{name}: fallback queue is empty", f"{unsettled} open", unsettled == 0),
            Check(f"{name}: what people decided is on record", reviewed,
                  (letters["corrected"], letters["discarded"]) == (1, 1)),
            Check(f"{name}: stays in the calendar", f"{len(entries)} of {stays}",
                  len(entries) == stays and doubled == 0),
            Check(f"{name}: nights counted once", f"{nights} = {booked}", nights == booked),
            Check(f"{name}: nothing of another tenant", str(len(foreign)), not foreign),
        ]  # fmt: skip
    repeats = sum(1 for n in receiver.taken.values() if n > 1)
    cancelled = {path for path, _ in receiver.taken if path.endswith("/down")}
    checks += [
        Check("webhooks taken twice by a receiver", str(repeats), repeats == 0),
        Check("the mended endpoints got what they missed", f"{len(cancelled)} of {len(clients)}",
              len(cancelled) == len(clients)),
        Check("the replay sent nothing outside", "sent" if resent else "nothing sent", not resent),
    ]  # fmt: skip
    return checks


def _all(client: Client, path: str) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    page = client.get(path, limit=500)
    while True:
        results += page["results"]
        if not page["next"]:
            return results
        cursor = page["next"].partition("cursor=")[2].partition("&")[0]
        page = client.get_page(path, cursor)


def table(checks: list[Check]) -> str:
    """The checks, readable."""
    width = max(len(check.what) for check in checks)
    lines = ["", f"  {'what must hold':<{width}}  seen", f"  {'-' * width}  {'-' * 40}"]
    for check in checks:
        lines.append(f"  {check.what:<{width}}  {check.seen}{'' if check.holds else '   <-- NO'}")
    return "\n".join([*lines, ""])
