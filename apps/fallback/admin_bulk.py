"""Actions of the fallback queue on many dead letters: show what would happen, then do it."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from apps.fallback.bulk import Choice, apply_to_many, choose
from apps.fallback.models import DeadLetter
from apps.fallback.sentences import describe
from apps.web.admin import TenantAdmin

_DONE = {"retry": "sent back to their handlers", "discard": "discarded"}


class BulkActions(TenantAdmin):
    """A model admin's part: retry or discard what is selected, after a page that confirms it."""

    actions = ["retry_selected", "discard_selected"]

    @admin.action(description="Retry selected…", permissions=["change"])
    def retry_selected(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> HttpResponse | None:
        return self._confirm_then_act(request, queryset, action="retry")

    @admin.action(description="Discard selected…", permissions=["change"])
    def discard_selected(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> HttpResponse | None:
        return self._confirm_then_act(request, queryset, action="discard")

    def _confirm_then_act(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter], *, action: str
    ) -> HttpResponse | None:
        """Show count and sample first. What died after that page was made is left out."""
        now = timezone.now()
        seen_at = _read_time(request.POST.get("seen_at", "")) or now
        choice = choose(queryset.filter(died_at__lte=seen_at))
        note = request.POST.get("note", "").strip()[:2000]
        is_confirmed = "confirm" in request.POST
        if not choice.ids:
            self.message_user(
                request, "None of the selected is open: nothing was done.", messages.WARNING
            )
            return None
        if not is_confirmed or (action == "discard" and not note):
            return self._confirmation(
                request, choice, action=action, seen_at=seen_at, is_note_missing=is_confirmed
            )
        actor = request.user.get_username()
        done = apply_to_many(choice.ids, action=action, actor=actor, note=note, now=now)
        left = len(choice.ids) - done
        said = f"{done} dead letters {_DONE[action]}."
        if left:
            said += f" {left} were decided by somebody else meanwhile and left out."
        self.message_user(request, said, messages.SUCCESS)
        return None

    def _confirmation(
        self,
        request: HttpRequest,
        choice: Choice,
        *,
        action: str,
        seen_at: datetime,
        is_note_missing: bool,
    ) -> TemplateResponse:
        count = len(choice.ids)
        noun = "dead letter" if count == 1 else "dead letters"
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{action.capitalize()} {count} {noun}?",
            "action": action,
            "choice": choice,
            "count": count,
            "noun": noun,
            "sentences": [describe(d) for d in choice.sample],
            "unseen": count - len(choice.sample),
            "seen_at": seen_at.isoformat(),
            "is_note_missing": is_note_missing,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "action_name": f"{action}_selected",
        }
        return TemplateResponse(request, "fallback/confirm_many.html", context)


def _read_time(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None
