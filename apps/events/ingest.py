"""Taking events in from outside: check each, store the good ones in one transaction, tell of each."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from apps.dispatch.models import Lane
from apps.events.requests import RawEvents
from apps.events.store import Lineage, store_events
from pms_events.envelope import Envelope, read_envelope
from pms_events.errors import FieldError, InvalidEvent
from pms_events.event_types import EventType, catalogue
from pms_events.publishing import Receipt


class Ingested:
    """What became of each event of a request, in its order."""

    def __init__(self, results: Sequence[dict[str, Any]]) -> None:
        self.results = list(results)

    def count(self, status: str) -> int:
        return sum(1 for result in self.results if result["status"] == status)

    def as_answer(self) -> dict[str, Any]:
        """The body of the 202. A conflict counts as rejected: nothing of it was stored."""
        return {
            "accepted": self.count("accepted"),
            "duplicates": self.count("duplicate"),
            "rejected": self.count("rejected") + self.count("conflict"),
            "results": self.results,
        }


def ingest(raw: RawEvents, *, lane: Lane = Lane.LIVE) -> Ingested:
    """Store the valid events of a request; bad ones are rejected with a pointer to each field.

    lane: bulk for imports, which go behind live traffic with all that comes of them.
    """
    results: list[dict[str, Any] | None] = []
    good: list[tuple[int, Envelope, EventType]] = []
    for index, event in enumerate(raw.events):
        try:
            envelope, entry = _check(event, is_strict=raw.is_strict)
        except InvalidEvent as error:
            results.append(_rejected(index, event, error))
        else:
            results.append(None)
            good.append((index, envelope, entry))
    receipts = store_events(
        [envelope for _, envelope, _ in good],
        [entry for _, _, entry in good],
        lineage=Lineage(lane=lane),
    )
    for (index, envelope, _), receipt in zip(good, receipts, strict=True):
        results[index] = _result(index, envelope, receipt)
    return Ingested([result for result in results if result is not None])


def _check(event: Any, *, is_strict: bool) -> tuple[Envelope, EventType]:
    envelope = read_envelope(event, strict=is_strict)
    entry = catalogue.find(envelope.type)
    if entry is None:
        detail = f"'{envelope.type}' is not in the catalogue: see /api/v1/event-types"
        raise InvalidEvent([FieldError(pointer="#/type", detail=detail)])
    entry.validate(envelope.data)
    return envelope, entry


def _rejected(index: int, event: Any, error: InvalidEvent) -> dict[str, Any]:
    named = event if isinstance(event, dict) else {}
    return {
        "index": index,
        "id": _text_or_none(named.get("id")),
        "source": _text_or_none(named.get("source")),
        "uid": None,
        "status": "rejected",
        "errors": [{"pointer": e.pointer, "detail": e.detail} for e in error.errors],
    }


def _text_or_none(value: Any) -> str | None:
    return value[:255] if isinstance(value, str) else None


def _result(index: int, envelope: Envelope, receipt: Receipt) -> dict[str, Any]:
    uid: UUID = receipt.uid
    result: dict[str, Any] = {
        "index": index,
        "id": envelope.id,
        "source": envelope.source,
        "uid": str(uid),
        "status": receipt.status,
    }
    if receipt.status == "conflict":
        detail = "another event is kept under this source and id: nothing was changed"
        result["errors"] = [{"pointer": "#/id", "detail": detail}]
    return result
