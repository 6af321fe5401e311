"""The event log in the tenant's admin: to look at; nothing in it can be changed."""

import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from apps.events import admin_replays
from apps.events.choosing import Asked, read_asked
from apps.events.filters import STATES
from apps.events.log_pages import Page, find_page, link
from apps.events.models import Event
from apps.events.queries import get_stories
from apps.events.story import STATE_COLOURS, tell
from apps.web.admin import ReadOnly, TenantAdmin
from apps.web.problems import Problem
from pms_events.categories import Category
from pms_events.event_types import catalogue

assert admin_replays  # importing it registers its screens


@admin.register(Event)
class EventAdmin(ReadOnly, TenantAdmin):
    """What happened, newest first, and what became of it."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a page of the log. A uid as text leads to its event at once."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = read_asked(request.GET.dict())
        uid = _as_uid(asked.values.get("text", ""))
        if uid and Event.objects.filter(uid=uid).exists():
            return HttpResponseRedirect(reverse("admin:events_event_change", args=[uid]))
        page = _find(asked, cursor=request.GET.get("cursor", ""))
        stories = get_stories([event.uid for event in page.events]) if page else {}
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Event log",
            "asked": asked,
            "page": page,
            "rows": [_row(event, stories[event.uid].state) for event in page.events]
            if page
            else [],
            "older": link(request, page.older) if page else None,
            "newer": link(request, page.newer) if page else None,
            "is_first": "cursor" not in request.GET,
            "types": [entry.name for entry in catalogue],
            "states": [(state, state.replace("_", " ")) for state in STATES],
            "categories": [category.value for category in Category],
            "more_is_open": any(
                name in asked.values for name in ("subject", "source", "category", "since", "until")
            ),
            "may_replay": request.user.has_perm("events.add_replay"),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "events/log.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        uid = _as_uid(object_id)
        if not self.has_view_permission(request):
            raise PermissionDenied
        event = Event.objects.filter(uid=uid).first() if uid else None
        if event is None:
            raise Http404("This tenant has no such event.")
        page = tell(event, now=timezone.now())
        state = page.story.state.replace("_", " ")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{event.type} {event.subject}".strip(),
            "event": event,
            "page": page,
            "state": state,
            "state_colour": STATE_COLOURS.get(state, ""),
            "has_route": page.story.has_route,
            "may_replay": request.user.has_perm("events.add_replay"),
            "log_url": reverse("admin:events_event_changelist"),
            "payload": json.dumps(event.data, indent=2, ensure_ascii=False),
            "extensions": json.dumps(event.extensions, indent=2, ensure_ascii=False)
            if event.extensions
            else "",
            **(extra_context or {}),
        }
        return TemplateResponse(request, "events/event.html", context)


def _find(asked: Asked, *, cursor: str) -> Page | None:
    """Find the page that was asked for; None when the question makes no sense."""
    if asked.chosen is None:
        return None
    try:
        return find_page(asked.chosen, cursor=cursor)
    except Problem as problem:
        raise Http404(str(problem)) from problem


def _row(event: Event, state: str) -> dict[str, Any]:
    words = state.replace("_", " ")
    return {"event": event, "state": words, "colour": STATE_COLOURS.get(words, "")}


def _as_uid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
