"""Pages of the log by cursor: `older than this event` or `newer than it`, with links both ways."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, QueryDict

from apps.events.filters import EventFilter
from apps.events.log import walk
from apps.events.models import Event
from apps.web.pagination import bad_cursor

PAGE = 50
MOST = 500
_OLDER, _NEWER = "older", "newer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Events, newest first, and where to go on; None where the log ends.

    `looked_back_to`: the page is not full because the search stopped there; older ones may match.
    """

    events: list[Event]
    older: str | None
    newer: str | None
    looked_back_to: datetime | None


def find_page(chosen: EventFilter, *, cursor: str = "", size: int = PAGE) -> Page:
    """Give a page of the current tenant's log. Raises: Problem 422 for a bad cursor."""
    side, start = _read(cursor)
    if side == _NEWER:
        found = walk(chosen, limit=size, start=start, is_newest_first=False)
        events = found.events[::-1]
        newer = found.reached
        older: UUID | None = events[-1].uid if events else start
        looked_back_to = None
    else:
        found = walk(chosen, limit=size, start=start)
        events = found.events
        newer = (events[0].uid if events else start) if start else None
        older = found.reached
        looked_back_to = found.reached_at if len(events) < size else None
    return Page(
        events=events,
        older=f"{_OLDER}:{older}" if older else None,
        newer=f"{_NEWER}:{newer}" if newer else None,
        looked_back_to=looked_back_to,
    )


def _read(cursor: str) -> tuple[str, UUID | None]:
    if not cursor:
        return _OLDER, None
    side, _, uid = cursor.partition(":")
    try:
        if side not in (_OLDER, _NEWER):
            raise ValueError(side)
        return side, UUID(uid)
    except ValueError as error:
        raise bad_cursor() from error


def link(request: HttpRequest, cursor: str | None) -> str | None:
    """Write the address of another page of the same list."""
    if cursor is None:
        return None
    values: QueryDict = request.GET.copy()
    values["cursor"] = cursor
    return f"{request.path}?{values.urlencode()}"
