"""The event log in the tenant's admin: to look at; nothing in it can be changed."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import display

from apps.events.admin_pages import CappedPaginator, PreparedChangeList
from apps.events.models import Event
from apps.events.presenting import show_deliveries, show_tree
from apps.events.queries import get_stories
from apps.web.admin import ReadOnly, TenantAdmin

STATE_COLOURS = {
    "done": "success",
    "failed": "danger",
    "in progress": "info",
    "accepted": "info",
    "discarded": "warning",
}


@admin.register(Event)
class EventAdmin(ReadOnly, TenantAdmin):
    """What happened, newest first, and what became of it."""

    list_display = ["what", "about", "source", "state", "recorded"]
    list_filter = ["category"]
    search_fields = ["type"]
    search_help_text = "the start of a type, a whole subject, an id or a uid"
    paginator = CappedPaginator
    show_facets = admin.ShowFacets.NEVER  # counting each choice reads the whole log
    actions = None
    nothing_title = "No events yet"
    nothing_why = (
        "Every booking, message and sensor reading that is sent to this tenant appears here the "
        "moment it is accepted, with what became of it."
    )

    def get_ordering(self, request: HttpRequest) -> list[str]:
        return ["-uid"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PreparedChangeList]:
        return PreparedChangeList

    def prepare_page(self, rows: Sequence[Event]) -> None:
        """Load the states of a page's events, in three queries."""
        stories = get_stories([event.uid for event in rows])
        for event in rows:
            event.story = stories[event.uid]  # type: ignore[attr-defined]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """Search by what indexes can find: the log is too long to be read through."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(type__startswith=term) | Q(subject=term) | Q(event_id=term)
        uid = _as_uid(term)
        return queryset.filter(Q(uid=uid) if uid else found), False

    @display(description="Type")
    def what(self, event: Event) -> str:
        return event.type

    @display(description="Subject", empty_value="–")
    def about(self, event: Event) -> str | None:
        return event.subject or event.event_id

    @display(description="State", label=STATE_COLOURS)
    def state(self, event: Event) -> str:
        return str(event.story.state).replace("_", " ")  # type: ignore[attr-defined]

    @display(description="Recorded")
    def recorded(self, event: Event) -> str:
        return f"{event.recorded_at:%Y-%m-%d %H:%M:%S}"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        return super().changelist_view(request, {"title": "Event log", **(extra_context or {})})

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
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{event.type} {event.subject}".strip(),
            "event": event,
            "now": timezone.now(),
            **_story_of(event),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "events/event.html", context)


def _story_of(event: Event) -> dict[str, Any]:
    story = get_stories([event.uid], with_attempts=True)[event.uid]
    tree = [row for row in show_tree(event) if row["uid"] != str(event.uid)]
    parents = {str(event.causation)} if event.causation else set()
    queue = reverse("admin:fallback_deadletter_changelist")
    return {
        "state": story.state.replace("_", " "),
        "state_colour": STATE_COLOURS.get(story.state.replace("_", " "), ""),
        "has_route": story.has_route,
        "deliveries": show_deliveries(story),
        "parent": next((row for row in tree if row["uid"] in parents), None),
        "children": [row for row in tree if row["causation"] == str(event.uid)],
        "payload": json.dumps(event.data, indent=2, ensure_ascii=False),
        "extensions": json.dumps(event.extensions, indent=2, ensure_ascii=False)
        if event.extensions
        else "",
        "dead_letters_url": f"{queue}?event_uid={event.uid}",
    }


def _as_uid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
