"""Decisions about many dead letters: count and sample first, then done at once or in background."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from apps.fallback.admin_filters import CannotFreeze, filter_of
from apps.fallback.bulk import AT_ONCE, MOST_IDS, decide
from apps.fallback.caring import UnknownAssignee, get_assignees
from apps.fallback.filters import DeadLetterFilter
from apps.fallback.models import DeadLetter
from apps.fallback.operations import NoteMissing
from apps.fallback.orders import ACTIONS, Order
from apps.fallback.selecting import Selection, choose
from apps.fallback.sentences import describe_each, foresee_retry
from apps.fallback.serializers import OpenFilterSerializer
from apps.web.admin import TenantAdmin
from apps.web.numbers import read_whole

_VERBS = {"retry": "Retry", "discard": "Discard", "assign": "Assign", "comment": "Comment on"}
_DONE = {
    "retry": "sent back to be handled", "discard": "discarded, with your note",
    "assign": "assigned", "comment": "commented on",
}  # fmt: skip


class BulkActions(TenantAdmin):
    """A model admin's part: decide about what is selected, or about all of a filter or cause."""

    actions = ["retry_selected", "assign_selected", "comment_selected", "discard_selected"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.bulk_view)
        return [path("bulk/", view, name="fallback_deadletter_bulk"), *super().get_urls()]

    @admin.action(description="Retry selected…", permissions=["change"])
    def retry_selected(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> HttpResponse | None:
        return self._ask(request, "retry")

    @admin.action(description="Assign selected…", permissions=["change"])
    def assign_selected(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> HttpResponse | None:
        return self._ask(request, "assign")

    @admin.action(description="Comment on selected…", permissions=["change"])
    def comment_selected(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> HttpResponse | None:
        return self._ask(request, "comment")

    @admin.action(description="Discard selected…", permissions=["change"])
    def discard_selected(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> HttpResponse | None:
        return self._ask(request, "discard")

    def _ask(self, request: HttpRequest, action: str) -> HttpResponse | None:
        """Show what the rows checked in the list, or all that the list matches, come to."""
        now = timezone.now()
        if request.POST.get("select_across", "0") == "1":
            try:
                selection = Selection(cutoff=now, filter=filter_of(request.GET))
            except CannotFreeze as error:
                self.message_user(request, str(error), messages.ERROR)
                return None
        else:
            ids = _read_ids(request.POST.getlist(ACTION_CHECKBOX_NAME))
            selection = Selection(cutoff=now, ids=ids)
        return self._confirmation(request, selection, action)

    def bulk_view(self, request: HttpRequest) -> HttpResponse:
        """GET asks about all of a filter (a cause is one); POST is the confirmed decision."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        action = given.get("action", "")
        if action not in ACTIONS:
            raise BadRequest("No such action.")
        if request.method != "POST":
            query = request.GET.copy()
            del query["action"]
            try:
                selection = Selection(cutoff=timezone.now(), filter=filter_of(query))
            except CannotFreeze as error:
                raise BadRequest(str(error)) from error
            return self._confirmation(request, selection, action)
        return self._carry_out(request, _read_selection(request), action)

    def _carry_out(self, request: HttpRequest, selection: Selection, action: str) -> HttpResponse:
        order = Order(
            action=action,
            actor=request.user.get_username(),
            note=request.POST.get("note", "").strip()[:2000],
            assignee=request.POST.get("assignee", ""),
        )
        try:
            decided = decide(selection, order, now=timezone.now())
        except (NoteMissing, UnknownAssignee) as error:
            return self._confirmation(request, selection, action, problem=str(error))
        if decided.bulk is not None:
            return HttpResponseRedirect(
                reverse("admin:fallback_bulkaction_change", args=[decided.bulk.pk])
            )
        said = f"{_count(decided.changed)} {_DONE[action]}."
        seen = read_whole(request.POST.get("seen")) or 0
        if seen > decided.changed:
            left = seen - decided.changed
            were = "1 was" if left == 1 else f"{left:,} were"
            said += f" {were} decided by somebody else meanwhile and left out."
        level = messages.SUCCESS if decided.changed else messages.WARNING
        self.message_user(request, said, level)
        return HttpResponseRedirect(reverse("admin:fallback_deadletter_changelist"))

    def _confirmation(
        self, request: HttpRequest, selection: Selection, action: str, *, problem: str = ""
    ) -> HttpResponse:
        choice = choose(selection)
        if not choice.total:
            said = "None of these is open any more: nothing was done."
            self.message_user(request, said, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:fallback_deadletter_changelist"))
        verb = _VERBS[action]
        sentences = describe_each(choice.sample)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{verb} {_count(choice.total)}?",
            "action": action,
            "verb": verb,
            "counted": _count(choice.total),
            "total": choice.total,
            "sample": [{"letter": d, "sentence": sentences[d.pk]} for d in choice.sample],
            "unseen": choice.total - len(choice.sample),
            "outlook": foresee_retry(choice.sample[0], behind=0) if action == "retry" else "",
            "cutoff": selection.cutoff.isoformat(),
            "ids": selection.ids,
            "filter": _show_filter(selection.filter),
            "is_in_background": choice.total > AT_ONCE,
            "assignees": get_assignees() if action == "assign" else None,
            "note": request.POST.get("note", "") if problem else "",
            "problem": problem,
        }
        return TemplateResponse(request, "fallback/confirm_many.html", context)


def _count(number: int) -> str:
    return "1 dead letter" if number == 1 else f"{number:,} dead letters"


def _show_filter(chosen: DeadLetterFilter | None) -> str:
    return "" if chosen is None else json.dumps(replace(chosen, state="open").as_json())


def _read_selection(request: HttpRequest) -> Selection:
    """Read what the confirmation page was about. Raises: BadRequest."""
    cutoff = _read_time(request.POST.get("cutoff", ""))
    if "filter" not in request.POST:
        return Selection(cutoff=cutoff, ids=_read_ids(request.POST.getlist("id")))
    try:
        kept = OpenFilterSerializer(data=json.loads(request.POST["filter"]))
    except ValueError as error:
        raise BadRequest("This page is broken: open it again.") from error
    if not kept.is_valid():
        raise BadRequest("This page is broken: open it again.")
    return Selection(cutoff=cutoff, filter=DeadLetterFilter(**kept.validated_data))


def _read_time(text: str) -> datetime:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadRequest("This page is broken: open it again.")
    return moment


def _read_ids(texts: list[str]) -> list[UUID]:
    try:
        return sorted({UUID(text) for text in texts[:MOST_IDS]})
    except ValueError as error:
        raise BadRequest("This page is broken: open it again.") from error
