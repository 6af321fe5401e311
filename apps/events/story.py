"""The story of an event for its page: its family, each delivery's way, and what others know."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.urls import reverse

from apps.dispatch.models import PendingDelivery
from apps.events.family import get_family
from apps.events.models import Attempt, Delivery, Event
from apps.events.queries import Story, get_stories
from apps.events.timeline import Period, Picture, Row, draw
from apps.web.links import About, Exhibit, Link, find_exhibits, find_links, find_zone

PICTURED = 60
STATE_COLOURS = {
    "done": "success",
    "failed": "danger",
    "dead": "danger",
    "in progress": "info",
    "running": "info",
    "ready": "info",
    "waiting": "info",
    "scheduled": "info",
    "accepted": "info",
    "paused": "warning",
    "discarded": "warning",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One delivery from its acceptance to its end, or to now."""

    id: int
    handler: str
    target: str
    state: str
    is_over: bool
    note: str
    replay: int | None
    waited: timedelta | None
    took: timedelta | None
    finished_at: datetime | None
    due_at: datetime | None
    attempt_count: int
    failures: int
    crashes: int
    attempts: list[Attempt]
    exhibits: list[Exhibit]
    periods: list[Period]

    @property
    def name(self) -> str:
        return f"{self.handler} → {self.target}" if self.target else self.handler

    @property
    def colour(self) -> str:
        return STATE_COLOURS.get(self.state, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event of the family with the ways of its deliveries. `depth`: generations from the top."""

    event: Event
    state: str
    depth: int
    url: str
    ways: list[Way]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that an event's page shows beside the event. `picture` shows the first rows only."""

    story: Story
    ways: list[Way]
    family: list[Told]
    picture: Picture
    left_out: int
    links: list[Link]
    zone: str | None
    exhibits: list[Exhibit]
    parent: Event | None
    children: list[Event]


def tell(event: Event, *, now: datetime) -> Page:
    """Gather the story of an event of the current tenant."""
    family = get_family(event)
    stories = get_stories([e.uid for e in family], with_attempts=True)
    about = About(
        uid=event.uid, type=event.type, subject=event.subject, source=event.source, data=event.data
    )
    exhibits = find_exhibits(about)
    told = [
        Told(
            event=member,
            state=stories[member.uid].state.replace("_", " "),
            depth=depth,
            url=reverse("admin:events_event_change", args=[member.uid]),
            ways=list(
                _ways(stories[member.uid], exhibits if member.uid == event.uid else [], now=now)
            ),
        )
        for member, depth in _as_tree(family)
    ]
    rows = list(_rows(told, here=event.uid))
    ways = next(t.ways for t in told if t.event.uid == event.uid)
    known = {way.id for way in ways}
    return Page(
        story=stories[event.uid],
        ways=ways,
        family=told,
        picture=draw(rows[:PICTURED]),
        left_out=max(0, len(rows) - PICTURED),
        links=find_links(about),
        zone=find_zone(about),
        exhibits=[e for e in exhibits if e.delivery_id not in known],
        parent=next((e for e in family if e.uid == event.causation), None),
        children=[e for e in family if e.causation == event.uid],
    )


def _as_tree(family: Sequence[Event]) -> Iterator[tuple[Event, int]]:
    """Order causes before what they led to, depth first; each with its depth."""
    children: dict[UUID | None, list[Event]] = defaultdict(list)
    known = {e.uid for e in family}
    for member in family:
        children[member.causation if member.causation in known else None].append(member)
    waiting = [(root, 0) for root in reversed(children[None])]
    while waiting:
        member, depth = waiting.pop()
        yield member, depth
        waiting += [(child, depth + 1) for child in reversed(children[member.uid])]


def _rows(told: Sequence[Told], *, here: UUID) -> Iterator[Row]:
    for entry in told:
        yield Row(
            label=entry.event.type,
            detail=entry.event.subject,
            url=entry.url,
            depth=entry.depth,
            at=entry.event.recorded_at,
            state=entry.state,
            is_here=entry.event.uid == here,
        )
        for way in entry.ways:
            yield Row(
                label=way.handler,
                detail=f"→ {way.target[:8]}" if way.target else "",
                depth=entry.depth + 1,
                at=entry.event.recorded_at,
                state=way.state,
                periods=way.periods,
            )


def _ways(story: Story, exhibits: Sequence[Exhibit], *, now: datetime) -> Iterator[Way]:
    rows: list[Delivery | PendingDelivery] = [*story.ended, *story.pending]
    for row in sorted(rows, key=lambda r: r.id):
        attempts = story.attempts.get(row.id, [])
        periods = list(_periods(row, attempts, now=now))
        waits = sum((p.end - p.start for p in periods if p.kind == "wait"), timedelta())
        runs = sum((p.end - p.start for p in periods if p.kind != "wait"), timedelta())
        ended = row if isinstance(row, Delivery) else None
        yield Way(
            id=row.id,
            handler=row.handler,
            target=row.target,
            state=row.state,
            is_over=ended is not None,
            note=ended.note if ended else "",
            replay=row.replay_id,
            waited=waits,
            took=runs if ended or attempts else None,
            finished_at=ended.finished_at if ended else None,
            due_at=None if isinstance(row, Delivery) else row.runs_again_at,
            attempt_count=row.attempts,
            failures=row.failures,
            crashes=row.crashes,
            attempts=attempts,
            exhibits=[e for e in exhibits if e.delivery_id == row.id],
            periods=periods,
        )


def _periods(
    row: Delivery | PendingDelivery, attempts: Sequence[Attempt], *, now: datetime
) -> Iterator[Period]:
    """Tell the stretches of a delivery: waiting, and each attempt by how it ended."""
    runs: list[tuple[datetime, datetime, str]] = [
        (a.started_at, a.finished_at, a.verdict) for a in attempts
    ]
    if isinstance(row, Delivery) and not any(run[1] == row.finished_at for run in runs):
        # An attempt that ended well has no row of its own: the delivery says when it ran.
        runs.append((row.started_at, row.finished_at, row.state))
    at = row.accepted_at
    for start, end, verdict in runs:
        if start > at:
            yield _wait(at, start)
        says = f"{verdict} after {_millis(end - start)}"
        yield Period(start=start, end=max(start, end), kind=verdict, says=says)
        at = max(at, end)
    if isinstance(row, PendingDelivery):
        yield _wait(at, max(at, now), says=f"{row.get_state_display()}, up to now")


def _wait(start: datetime, end: datetime, *, says: str = "waited") -> Period:
    return Period(start=start, end=end, kind="wait", says=f"{says}: {_millis(end - start)}")


def _millis(length: timedelta) -> str:
    return f"{length.total_seconds() * 1000:,.0f} ms"
