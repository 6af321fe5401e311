"""Bulk actions in the tenant's admin: how far one has come, and stopping it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display

from apps.fallback.bulk import cancel_bulk_action
from apps.fallback.causes import generalize
from apps.fallback.models import BulkAction, BulkState, DeadLetter
from apps.fallback.orders import ACTIONS
from apps.fallback.sentences import describe_cause, name_tasks, summarize_failure
from apps.fallback.templatetags.fallback_shown import ago
from apps.web.admin import ReadOnly, TenantAdmin
from apps.web.numbers import read_whole

_COLOURS = {BulkState.RUNNING: "info", BulkState.DONE: "success", BulkState.CANCELLED: "warning"}
_SAMPLE = 20


class ActionFilter(admin.SimpleListFilter):
    """What was decided."""

    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(action, action) for action in ACTIONS]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[BulkAction]
    ) -> QuerySet[BulkAction]:
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(BulkAction)
class BulkActionAdmin(ReadOnly, TenantAdmin):
    """What was decided about many at once: by whom, why, and how far it has come."""

    list_display = ["what", "standing", "progress", "actor", "why", "begun"]
    list_filter = ["state", ActionFilter]
    search_fields = ["actor", "note"]
    search_help_text = "words in the note, or who began it"
    ordering = ["-id"]
    list_before_template = "fallback/above_items.html"
    nothing_title = "Nothing was decided about many at once"
    nothing_why = (
        "When you retry, discard, assign or comment on more than 50 dead letters, for example all "
        "of one cause, it runs in the background and shows here how far it has come."
    )

    class Media:
        css = {"all": ["events/story.css", "fallback/queue.css"]}

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_here() and request.user.has_perm("fallback.view_deadletter")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # not in the menu: a tab of the fallback queue leads here

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        name = "fallback_bulkaction"
        return [
            path("<int:pk>/progress/", wrap(self.progress_view), name=f"{name}_progress"),
            path("<int:pk>/cancel/", wrap(require_POST(self.cancel_view)), name=f"{name}_cancel"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        context = {"title": "Bulk actions", "tab": "bulk", **(extra_context or {})}
        return super().changelist_view(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:  # fmt: skip
        bulk = self._get(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Bulk action",
            **_context_of(bulk, request),
        }
        return TemplateResponse(request, "fallback/bulk_action.html", context)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer the part of the page that refreshes by itself."""
        context = _context_of(self._get(request, str(pk)), request)
        return render(request, "fallback/bulk_progress.html", context)

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        bulk = self._get(request, str(pk))
        if not request.user.has_perm("fallback.change_deadletter"):
            raise PermissionDenied
        actor = request.user.get_username()
        if not cancel_bulk_action(bulk.pk, actor=actor, now=timezone.now()):
            self.message_user(request, "It had ended before.", messages.WARNING)
        return HttpResponseRedirect(reverse("admin:fallback_bulkaction_change", args=[bulk.pk]))

    def _get(self, request: HttpRequest, pk: str) -> BulkAction:
        if not self.has_view_permission(request):
            raise PermissionDenied
        key = read_whole(pk)
        found = None if key is None else BulkAction.objects.filter(pk=key).first()
        if found is None:
            raise Http404("This tenant has no such bulk action.")
        return found

    @display(description="What")
    def what(self, bulk: BulkAction) -> str:
        return f"{bulk.action} {bulk.total:,} dead letters"

    @display(description="State", label=_COLOURS)
    def standing(self, bulk: BulkAction) -> tuple[str, str]:
        return bulk.state, bulk.state

    @display(description="Done")
    def progress(self, bulk: BulkAction) -> str:
        return f"{bulk.done:,} of {bulk.total:,}"

    @display(description="Note", empty_value="–")
    def why(self, bulk: BulkAction) -> str | None:
        return bulk.note or None

    @display(description="Begun")
    def begun(self, bulk: BulkAction) -> str:
        return ago(bulk.created_at)


def _context_of(bulk: BulkAction, request: HttpRequest) -> dict[str, Any]:
    filtered = {name: value for name, value in (bulk.filter or {}).items() if name != "state"}
    alike = DeadLetter.objects.filter(fingerprint=filtered.get("fingerprint", ""))
    if sample := list(alike.order_by("-died_at")[:_SAMPLE]):
        said, *others = [summarize_failure(letter) for letter in sample]
        failure, _ = generalize(said, others)
        task = name_tasks(sample[:1]).get(sample[0].pk, "")
        filtered["cause"] = describe_cause(sample[0], task=task, failure=failure)
        del filtered["fingerprint"]
    return {
        "bulk": bulk,
        "is_running": bulk.state == BulkState.RUNNING,
        "colour": _COLOURS[BulkState(bulk.state)],
        "percent": 100 * bulk.done // bulk.total if bulk.total else 100,
        "filtered": filtered,
        "may_act": request.user.has_perm("fallback.change_deadletter"),
    }
