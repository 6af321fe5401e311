"""Correct and retry: edit the data in a form or as JSON, see what changes, confirm."""

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from apps.fallback import operations
from apps.fallback.admin_review import ReviewPages, pretty, show_change, who_of
from apps.fallback.correcting import CannotCorrect, check_correction, get_original
from apps.fallback.models import DeadLetter, DeadLetterState
from apps.fallback.payload_diff import diff
from pms_events.errors import FieldError, InvalidEvent
from pms_events.strict_json import UnreadableJson, loads


class CorrectPages(ReviewPages):
    """A model admin's part: the steps of a correction."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        name = "fallback_deadletter_correct"
        return [
            path("<uuid:pk>/correct/", wrap(self.correct_view), name=name),
            path(
                "<uuid:pk>/correct/check/",
                wrap(require_POST(self.check_view)),
                name=f"{name}_check",
            ),
            *super().get_urls(),
        ]

    def correct_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Edit, look at what changes, confirm. What the person typed is kept through all of it."""
        dead_letter = self.get_to_act(request, pk)
        try:
            original, entry = get_original(dead_letter)
            if dead_letter.state != DeadLetterState.OPEN:
                raise operations.AlreadyDecided(dead_letter)
        except (CannotCorrect, operations.AlreadyDecided) as error:
            return self.back(request, dead_letter, messages.ERROR, str(error))
        text = pretty(original.data)
        context: dict[str, Any] = {"example": pretty(entry.example), "errors": []}
        if request.method == "POST":
            text = request.POST.get("data", "")
            step = request.POST.get("step", "edit")
            try:
                if step == "confirm":
                    return self._publish(request, dead_letter, data=_read(text))
                if step == "preview":
                    correction = check_correction(dead_letter, _read(text))
                    context["changes"] = [show_change(change) for change in correction.changes]
            except operations.AlreadyDecided as error:
                return self.back(request, dead_letter, messages.ERROR, str(error))
            except InvalidEvent as error:
                context["errors"] = _with_values(error.errors, text)
        context |= {
            "text": text,
            "note": request.POST.get("note", ""),
            "schema": entry.json_schema,
            "before": original.data,
        }
        template = "fallback/preview.html" if "changes" in context else "fallback/correct.html"
        return self.page(request, template, dead_letter, context)

    def check_view(self, request: HttpRequest, pk: UUID) -> JsonResponse:
        """Say what is wrong with the data as it is typed; changes nothing."""
        dead_letter = self.get_to_act(request, pk)
        text = request.POST.get("data", "")
        try:
            data = _read(text)
            if not diff(get_original(dead_letter)[0].data, data):
                return JsonResponse({"errors": [], "changes": 0})
            correction = check_correction(dead_letter, data)
        except InvalidEvent as error:
            return JsonResponse({"errors": _with_values(error.errors, text), "changes": 0})
        except CannotCorrect as error:
            return JsonResponse({"errors": [{"pointer": "#/data", "detail": str(error)}]})
        return JsonResponse({"errors": [], "changes": len(correction.changes)})

    def _publish(self, request: HttpRequest, dead_letter: DeadLetter, *, data: Any) -> HttpResponse:
        operations.correct(dead_letter, data=data, **who_of(request))
        said = "The corrected event is published and on its way to the handler."
        return self.back(request, dead_letter, messages.SUCCESS, said)


def _read(text: str) -> Any:
    """Read the JSON a person typed. Raises: InvalidEvent that says where it breaks."""
    try:
        return loads(text.encode("utf-8", "surrogatepass"))
    except UnreadableJson as error:
        raise InvalidEvent([FieldError(pointer=error.pointer, detail=error.detail)]) from error


def _with_values(errors: list[FieldError], text: str) -> list[dict[str, Any]]:
    return [_with_value(error, text) for error in errors]


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
