"""Events and their stories as the API shows them."""

from datetime import datetime
from typing import Any

from apps.events.family import get_family
from apps.events.models import Attempt, Delivery, Event
from apps.events.queries import Story


def show_event(event: Event, story: Story) -> dict[str, Any]:
    """One event as it stands in the list."""
    return {
        "uid": str(event.uid),
        "id": event.event_id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": event.time,
        "recorded_at": event.recorded_at,
        "category": event.category,
        "priority": f"P{event.priority}",
        "state": story.state,
        "has_route": story.has_route,
        "causation": str(event.causation) if event.causation else None,
        "data": event.data,
        "extensions": event.extensions,
    }


def show_event_with_story(event: Event, story: Story) -> dict[str, Any]:
    """One event with its deliveries, their attempts, and what it caused and was caused by."""
    return {
        **show_event(event, story),
        "deliveries": show_deliveries(story),
        "causation_tree": show_tree(event),
    }


def show_deliveries(story: Story) -> list[dict[str, Any]]:
    """The deliveries of an event, ended and owed, in the order of their ids."""
    rows = [_ended(d, story.attempts.get(d.id, [])) for d in story.ended]
    for d in story.pending:
        rows.append(
            {
                "id": d.id,
                "handler": d.handler,
                "target": d.target,
                "category": d.category,
                "state": d.state,
                "attempts": [_attempt(a) for a in story.attempts.get(d.id, [])],
                "attempt_count": d.attempts,
                "failures": d.failures,
                "crashes": d.crashes,
                "due_at": d.runs_again_at,
                "finished_at": None,
                "duration_ms": None,
                "note": "",
                "replay": d.replay_id,
            }
        )
    return sorted(rows, key=lambda row: row["id"])


def _ended(d: Delivery, attempts: list[Attempt]) -> dict[str, Any]:
    shown = [_attempt(a) for a in attempts]
    if not attempts or attempts[-1].verdict != d.state:
        # An attempt that ended well has no row of its own: the delivery says when it ran.
        shown.append(
            {
                "number": d.attempts,
                "started_at": d.started_at,
                "duration_ms": _millis(d.started_at, d.finished_at),
                "verdict": d.state,
                "error": None,
            }
        )
    return {
        "id": d.id,
        "handler": d.handler,
        "target": d.target,
        "category": d.category,
        "state": d.state,
        "attempts": shown,
        "attempt_count": d.attempts,
        "failures": d.failures,
        "crashes": d.crashes,
        "due_at": None,
        "finished_at": d.finished_at,
        "duration_ms": _millis(d.started_at, d.finished_at),
        "note": d.note,
        "replay": d.replay_id,
    }


def _attempt(a: Attempt) -> dict[str, Any]:
    return {
        "number": a.number,
        "started_at": a.started_at,
        "duration_ms": _millis(a.started_at, a.finished_at),
        "verdict": a.verdict,
        "error": f"{a.error_class}: {a.message}" if a.error_class else a.message or None,
    }


def _millis(start: datetime, end: datetime) -> float:
    return round((end - start).total_seconds() * 1000, 1)


def show_tree(event: Event) -> list[dict[str, Any]]:
    """What this event caused, and the chain that led to it: at most 200 events, oldest first."""
    return [
        {
            "uid": str(e.uid),
            "type": e.type,
            "subject": e.subject,
            "causation": str(e.causation) if e.causation else None,
            "recorded_at": e.recorded_at,
        }
        for e in get_family(event)
    ]
