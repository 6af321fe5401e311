"""What must hold once everything has come to its end, whatever died on the way."""

import gzip
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from apps.dispatch.models import Arrival, Chore, PendingDelivery
from apps.events.models import Delivery, Event, Replay
from apps.fallback.models import DeadLetter
from apps.properties.models import Property
from apps.tenants.entering import TenantRef, entering

_END_OF = {
    "open": {"dead"},
    "resolved": {"done", "superseded"},
    "corrected": {"discarded"},
    "discarded": {"discarded"},
}
"""How a delivery must have ended whose dead letter is in this state."""


def assert_nothing_is_lost_or_doubled(tenants: list[TenantRef], folder: Path) -> None:
    """Accepted = done + dead + discarded + superseded, in each tenant by itself."""
    assert not Arrival.objects.exists()
    assert not Chore.objects.exists()
    told = folder / "told"
    tellings = Counter(map(int, told.read_text().split())) if told.exists() else Counter()
    for tenant in tenants:
        with entering(tenant):
            _Tenant(tenant, folder / "archive" / tenant.schema_name).check(tellings)


class _Tenant:
    """One tenant's side of it. What was purged is read from the archive."""

    def __init__(self, tenant: TenantRef, archive: Path) -> None:
        self.pending = list(PendingDelivery.objects.filter(tenant_id=tenant.id).values())
        told = Event.objects.filter(type__startswith="custom.")  # without alerts
        kept = told.values("uid", "event_id", "type", "recorded_at")
        self.events = {str(e["uid"]): e for e in kept}
        self.ended = {d["id"]: d for d in Delivery.objects.values()}
        for line in _archived(archive):
            if not line["type"].startswith("custom."):
                continue
            at = datetime.fromisoformat(line["recorded_at"])
            event = {"event_id": line["id"], "type": line["type"], "recorded_at": at}
            self.events.setdefault(line["uid"], event)
            for delivery in line["deliveries"]:
                self.ended.setdefault(delivery["id"], delivery)
        self.letters = {d.delivery_id: d for d in DeadLetter.objects.all()}
        self.effects = [int(p.ref) for p in Property.objects.order_by("id")]

    def check(self, tellings: Counter[int]) -> None:
        self._nothing_is_stranded()
        self._each_event_came_to_each_handler_once()
        self._each_effect_happened_once_and_in_order()
        self._each_letter_says_how_its_delivery_ended()
        for id_, delivery in self.ended.items():
            if delivery["handler"] == "m.outside" and delivery["state"] == "done":
                assert 1 <= tellings[id_] <= delivery["attempts"]

    def _nothing_is_stranded(self) -> None:
        held = {p["handler"] for p in self.pending if p["state"] == "held"}
        for row in self.pending:
            assert row["state"] == "held" or (row["state"] == "waiting" and row["handler"] in held)

    def _each_event_came_to_each_handler_once(self) -> None:
        owed = {p["id"]: p for p in self.pending} | self.ended
        came = Counter((str(d["event_uid"]), d["handler"], d["replay_id"]) for d in owed.values())
        expected = Counter((uid, _handler(e), None) for uid, e in self.events.items())
        for replay in Replay.objects.all():
            assert replay.state == "done"
            expected.update(
                (uid, _handler(event), replay.pk)
                for uid, event in self.events.items()
                if _handler(event) in replay.handlers and event["recorded_at"] <= replay.cutoff
            )
        assert came == expected

    def _each_effect_happened_once_and_in_order(self) -> None:
        done = {id_ for id_, d in self.ended.items() if d["state"] == "done"}
        inside = {id_ for id_ in done if self.ended[id_]["handler"] != "m.outside"}
        assert Counter(self.effects) == Counter(inside)
        # Of what takes the place of another, the place counts; what died and was retried came later.
        held = self._order("m.hold")
        assert held == sorted(held, key="01~2".index), held

    def _each_letter_says_how_its_delivery_ended(self) -> None:
        dead = {id_ for id_, d in self.ended.items() if d["state"] == "dead"}
        assert dead <= self.letters.keys()
        for id_, letter in self.letters.items():
            assert self.ended[id_]["state"] in _END_OF[letter.state], letter
            if letter.reason == "poison":
                assert (letter.crashes, letter.attempts) == (3, 3)

    def _order(self, handler: str) -> list[str]:
        """Which events of a handler's stream took effect, in order; `~` is a correction."""
        ran = [self.ended[id_] for id_ in self.effects if self.ended[id_]["handler"] == handler]
        ids = [self.events[str(delivery["event_uid"])]["event_id"] for delivery in ran]
        return ["~" if "~" in id_ else id_.rpartition("-")[2] for id_ in ids]


def _handler(event: dict[str, Any]) -> str:
    return f"m.{event['type'].rpartition('.')[2]}"


def _archived(archive: Path) -> list[dict[str, Any]]:
    """The events of a tenant's archive, with their deliveries; an unfinished last file is read, too."""
    lines = []
    for path in sorted(archive.glob("*.gz")):
        with gzip.open(path, "rt") as file:
            lines += [json.loads(line) for line in file]
    return lines
