"""The page of one dead letter, and what a person does there: retry, discard, assign, comment."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from apps.events.models import Event
from apps.fallback import operations
from apps.fallback.caring import (
    AssignedMeanwhile,
    UnknownAssignee,
    assign,
    comment,
    get_assignees,
)
from apps.fallback.groups import MOST_COUNTED
from apps.fallback.models import DeadLetter, DeadLetterState
from apps.fallback.queries import count_alike, count_behind_each, get_attempts, get_lineage
from apps.fallback.sentences import describe, foresee_retry
from apps.web.admin import TenantAdmin
from apps.web.links import About, find_links, find_zone
from apps.web.numbers import read_whole

STATE_COLOURS = {
    DeadLetterState.OPEN: "danger",
    DeadLetterState.RETRYING: "info",
    DeadLetterState.RESOLVED: "success",
    DeadLetterState.CORRECTED: "success",
    DeadLetterState.DISCARDED: "warning",
}


class ReviewPages(TenantAdmin):
    """A model admin's part: the page of one dead letter, and the decisions made on it."""

    def get_urls(self) -> list[URLPattern]:
        def wrap(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
            return self.admin_site.admin_view(view)

        name = "fallback_deadletter"
        return [
            path("<uuid:pk>/retry/", wrap(require_POST(self.retry_view)), name=f"{name}_retry"),
            path(
                "<uuid:pk>/discard/", wrap(require_POST(self.discard_view)), name=f"{name}_discard"
            ),
            path("<uuid:pk>/assign/", wrap(require_POST(self.assign_view)), name=f"{name}_assign"),
            path(
                "<uuid:pk>/comment/", wrap(require_POST(self.comment_view)), name=f"{name}_comment"
            ),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        dead_letter = _get(object_id)
        context = {**_context_of(dead_letter), **(extra_context or {})}
        context["may_comment"] = self.has_change_permission(request)
        context["may_act"] = context["may_comment"] and dead_letter.state == DeadLetterState.OPEN
        return self.page(request, "fallback/dead_letter.html", dead_letter, context)

    def retry_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        dead_letter = self.get_to_act(request, pk)
        try:
            operations.retry([dead_letter], **who_of(request))
        except operations.AlreadyDecided as error:
            return self.back(request, dead_letter, messages.ERROR, str(error))
        return self.back(request, dead_letter, messages.SUCCESS, "Sent back to its handler.")

    def discard_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        dead_letter = self.get_to_act(request, pk)
        try:
            operations.discard([dead_letter], **who_of(request))
        except (operations.AlreadyDecided, operations.NoteMissing) as error:
            return self.back(request, dead_letter, messages.ERROR, str(error))
        return self.back(request, dead_letter, messages.SUCCESS, "Discarded, with your note.")

    def assign_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Assign to the person of the form, unless somebody assigned it since the page was made."""
        dead_letter = self.get_to_act(request, pk)
        dead_letter.assignee_id = read_whole(request.POST.get("seen"))
        who = who_of(request)
        try:
            assign([dead_letter], to=request.POST.get("assignee", ""), **who)
        except (operations.AlreadyDecided, AssignedMeanwhile, UnknownAssignee) as error:
            return self.back(request, dead_letter, messages.ERROR, str(error))
        said = f"Assigned to {request.POST.get('assignee') or 'nobody'}."
        return self.back(request, dead_letter, messages.SUCCESS, said)

    def comment_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        dead_letter = self.get_to_act(request, pk)
        try:
            comment([dead_letter], **who_of(request))
        except operations.NoteMissing as error:
            return self.back(request, dead_letter, messages.ERROR, str(error))
        return self.back(request, dead_letter, messages.SUCCESS, "Your comment is kept.")

    def get_to_act(self, request: HttpRequest, pk: UUID) -> DeadLetter:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return _get(str(pk))

    def back(
        self, request: HttpRequest, dead_letter: DeadLetter, level: int, said: str
    ) -> HttpResponseRedirect:
        self.message_user(request, said, level)
        return HttpResponseRedirect(
            reverse("admin:fallback_deadletter_change", args=[dead_letter.pk])
        )

    def page(
        self, request: HttpRequest, template: str, dead_letter: DeadLetter, more: dict[str, Any]
    ) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Dead letter",
            "dead_letter": dead_letter,
            "sentence": describe(dead_letter),
            "state_colour": STATE_COLOURS[DeadLetterState(dead_letter.state)],
            **more,
        }
        return TemplateResponse(request, template, context)


def _get(pk: str) -> DeadLetter:
    try:
        found = DeadLetter.objects.filter(pk=UUID(pk)).first()
    except ValueError:
        found = None
    if found is None:
        raise Http404("This tenant has no such dead letter.")
    return found


def who_of(request: HttpRequest) -> dict[str, Any]:
    """Say who acts, why and when, as operations take it."""
    note = request.POST.get("note", "").strip()[:2000]
    return {"actor": request.user.get_username(), "note": note, "now": timezone.now()}


def _context_of(dead_letter: DeadLetter) -> dict[str, Any]:
    behind = count_behind_each([dead_letter]).get(dead_letter.pk, 0)
    lineage = get_lineage(dead_letter)
    reviews = [
        {"review": review, "changes": [show_change(c) for c in review.diff or []]}
        for review in dead_letter.reviews.all()
    ]
    about = _about(dead_letter, lineage.event)
    return {
        "behind": behind,
        "links": find_links(about),
        "zone": find_zone(about),
        "lineage": lineage,
        "event": lineage.event,
        "payload": pretty(lineage.event.data) if lineage.event else "",
        "outlook": foresee_retry(dead_letter, behind=behind),
        "attempts": get_attempts(dead_letter),
        "reviews": reviews,
        "alike": count_alike(dead_letter, limit=MOST_COUNTED),
        "assignees": get_assignees(),
    }


def _about(dead_letter: DeadLetter, event: Event | None) -> About:
    """Tell what others need to find what it is about; less when the event is purged."""
    return About(
        uid=dead_letter.event_uid,
        type=dead_letter.event_type,
        subject=dead_letter.subject,
        source=event.source if event else "",
        data=event.data if event else {},
    )


def pretty(value: Any) -> str:
    """Write JSON as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def show_change(change: dict[str, Any]) -> dict[str, str]:
    """Show one change of a correction: the pointer, and the sides that exist."""
    shown: dict[str, str] = {
        side: pretty(change[side]) for side in ("before", "after") if side in change
    }
    shown["pointer"] = change["pointer"] or "/"
    return shown
