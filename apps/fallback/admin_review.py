"""The page of one dead letter, and what a person does there: retry, correct, discard."""

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
from apps.fallback.correcting import CannotCorrect, Correction, check_correction, get_original
from apps.fallback.models import DeadLetter, DeadLetterState
from apps.fallback.queries import count_behind_each, get_attempts
from apps.fallback.sentences import describe, foresee_retry
from apps.web.admin import TenantAdmin
from pms_events.errors import FieldError, InvalidEvent
from pms_events.strict_json import UnreadableJson, loads

STATE_COLOURS = {
    DeadLetterState.OPEN: "danger",
    DeadLetterState.RETRYING: "info",
    DeadLetterState.RESOLVED: "success",
    DeadLetterState.CORRECTED: "success",
    DeadLetterState.DISCARDED: "warning",
}


class ReviewPages(TenantAdmin):
    """A model admin's part: the page of one dead letter and its three decisions."""

    def get_urls(self) -> list[URLPattern]:
        def wrap(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
            return self.admin_site.admin_view(view)

        name = "fallback_deadletter"
        return [
            path("<uuid:pk>/retry/", wrap(require_POST(self.retry_view)), name=f"{name}_retry"),
            path("<uuid:pk>/correct/", wrap(self.correct_view), name=f"{name}_correct"),
            path(
                "<uuid:pk>/discard/", wrap(require_POST(self.discard_view)), name=f"{name}_discard"
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
        context["may_act"] = (
            self.has_change_permission(request) and dead_letter.state == DeadLetterState.OPEN
        )
        return self._page(request, "fallback/dead_letter.html", dead_letter, context)

    def retry_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        dead_letter = self._get_to_act(request, pk)
        try:
            operations.retry([dead_letter], **_who(request))
        except operations.AlreadyDecided as error:
            return self._back(request, dead_letter, messages.ERROR, str(error))
        return self._back(request, dead_letter, messages.SUCCESS, "Sent back to its handler.")

    def discard_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        dead_letter = self._get_to_act(request, pk)
        try:
            operations.discard([dead_letter], **_who(request))
        except (operations.AlreadyDecided, operations.NoteMissing) as error:
            return self._back(request, dead_letter, messages.ERROR, str(error))
        return self._back(request, dead_letter, messages.SUCCESS, "Discarded, with your note.")

    def correct_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Edit, look at what changes, confirm. What the person typed is kept through all of it."""
        dead_letter = self._get_to_act(request, pk)
        try:
            original, entry = get_original(dead_letter)
        except CannotCorrect as error:
            return self._back(request, dead_letter, messages.ERROR, str(error))
        text = _pretty(original.data)
        context: dict[str, Any] = {"example": _pretty(entry.example)}
        if request.method == "POST":
            text = request.POST.get("data", "")
            step = request.POST.get("step", "edit")
            try:
                if step == "confirm":
                    return self._publish(request, dead_letter, data=_read(text))
                if step == "preview":
                    correction = check_correction(dead_letter, _read(text))
                    context["changes"] = _show_changes(correction)
            except operations.AlreadyDecided as error:
                return self._back(request, dead_letter, messages.ERROR, str(error))
            except InvalidEvent as error:
                context["errors"] = [_with_value(e, text) for e in error.errors]
        context |= {"text": text, "note": request.POST.get("note", "")}
        template = "fallback/preview.html" if "changes" in context else "fallback/correct.html"
        return self._page(request, template, dead_letter, context)

    def _publish(self, request: HttpRequest, dead_letter: DeadLetter, *, data: Any) -> HttpResponse:
        operations.correct(dead_letter, data=data, **_who(request))
        said = "The corrected event is published and on its way to the handler."
        return self._back(request, dead_letter, messages.SUCCESS, said)

    def _get_to_act(self, request: HttpRequest, pk: UUID) -> DeadLetter:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return _get(str(pk))

    def _back(
        self, request: HttpRequest, dead_letter: DeadLetter, level: int, said: str
    ) -> HttpResponseRedirect:
        self.message_user(request, said, level)
        return HttpResponseRedirect(
            reverse("admin:fallback_deadletter_change", args=[dead_letter.pk])
        )

    def _page(
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


def _who(request: HttpRequest) -> dict[str, Any]:
    note = request.POST.get("note", "").strip()[:2000]
    return {"actor": request.user.get_username(), "note": note, "now": timezone.now()}


def _context_of(dead_letter: DeadLetter) -> dict[str, Any]:
    behind = count_behind_each([dead_letter]).get(dead_letter.pk, 0)
    event = Event.objects.filter(uid=dead_letter.event_uid).first()
    corrected = None
    if event is not None and event.causation is not None:
        corrected = DeadLetter.objects.filter(
            event_uid=event.causation, correction_uid=event.uid
        ).first()
    reviews = [
        {"review": review, "changes": [_show_change(c) for c in review.diff or []]}
        for review in dead_letter.reviews.all()
    ]
    return {
        "behind": behind,
        "event": event,
        "payload": _pretty(event.data) if event else "",
        "outlook": foresee_retry(dead_letter, behind=behind),
        "attempts": get_attempts(dead_letter),
        "reviews": reviews,
        "corrected": corrected,
    }


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _read(text: str) -> Any:
    """Read the JSON a person typed. Raises: InvalidEvent that says where it breaks."""
    try:
        return loads(text.encode("utf-8", "surrogatepass"))
    except UnreadableJson as error:
        raise InvalidEvent([FieldError(pointer=error.pointer, detail=error.detail)]) from error


def _with_value(error: FieldError, text: str) -> dict[str, Any]:
    """Tell an error with the value that it is about, as far as there is one."""
    shown: dict[str, Any] = {"pointer": error.pointer, "detail": error.detail}
    try:
        value = loads(text.encode("utf-8", "surrogatepass"))
        for part in error.pointer.removeprefix("#/data").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            value = value[int(name)] if isinstance(value, list) else value[name]
    except (UnreadableJson, LookupError, TypeError, ValueError):
        return shown
    if not isinstance(value, dict | list):
        shown["value"] = json.dumps(value, ensure_ascii=False)[:120]
    return shown


def _show_changes(correction: Correction) -> list[dict[str, str]]:
    return [_show_change(change) for change in correction.changes]


def _show_change(change: dict[str, Any]) -> dict[str, str]:
    shown: dict[str, str] = {
        side: _pretty(change[side]) for side in ("before", "after") if side in change
    }
    shown["pointer"] = change["pointer"] or "/"
    return shown
