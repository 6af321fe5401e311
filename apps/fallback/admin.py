"""The fallback queue in the tenant's admin: what needs a person, in a person's words."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html
from unfold.decorators import display

from apps.events.admin_pages import MOST_COUNTED, CappedPaginator, PreparedChangeList
from apps.fallback.admin_bulk import BulkActions
from apps.fallback.admin_filters import CategoryFilter, HandlerFilter, StateFilter
from apps.fallback.admin_review import STATE_COLOURS, ReviewPages
from apps.fallback.models import DeadLetter, DeadLetterState
from apps.fallback.queries import count_behind_each, get_groups
from apps.fallback.sentences import describe

_REASON_COLOURS = {
    "exhausted": "warning", "permanent": "danger", "poison": "danger", "unroutable": "warning",
    "unknown_type": "info", "invalid": "danger", "unreadable": "danger",
}  # fmt: skip
_CAUSES = 5


@admin.register(DeadLetter)
class DeadLetterAdmin(ReviewPages, BulkActions):
    """Dead letters, open ones first. Nobody adds, edits or deletes one: they are decided."""

    list_display = ["what_happened", "why", "handler", "died", "tries", "behind"]
    list_display_links = ["what_happened"]
    list_filter = [StateFilter, "reason", HandlerFilter, CategoryFilter]
    list_filter_sheet = True
    search_fields = ["subject", "message", "event_type"]
    search_help_text = "subject, error or event type"
    paginator = CappedPaginator
    show_facets = admin.ShowFacets.NEVER  # counting each choice reads the whole table
    list_before_template = "fallback/causes.html"
    nothing_title = "Nothing needs a person"
    nothing_why = (
        "When an event cannot be handled and trying again did not help, it waits here until "
        "somebody retries, corrects or discards it."
    )

    class Media:
        css = {"all": ["events/story.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_ordering(self, request: HttpRequest) -> list[str]:
        return ["-died_at", "id"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PreparedChangeList]:
        return PreparedChangeList

    def prepare_page(self, rows: Sequence[DeadLetter]) -> None:
        """Count who waits behind a page's dead letters, in one query."""
        behind = count_behind_each(rows)
        for row in rows:
            row.waiting_behind = behind.get(row.pk, 0)  # type: ignore[attr-defined]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter], search_term: str
    ) -> tuple[QuerySet[DeadLetter], bool]:
        found, _ = super().get_search_results(request, queryset, search_term)
        return found, False

    @display(description="What happened")
    def what_happened(self, dead_letter: DeadLetter) -> str:
        return format_html('<span class="said">{}</span>', describe(dead_letter))

    @display(description="Reason", ordering="reason", label=_REASON_COLOURS)
    def why(self, dead_letter: DeadLetter) -> tuple[str, str]:
        return dead_letter.reason, dead_letter.reason.replace("_", " ")

    @display(description="Died", ordering="died_at")
    def died(self, dead_letter: DeadLetter) -> str:
        return format_html(
            '<span class="whitespace-nowrap" title="{} UTC">{}</span>',
            f"{dead_letter.died_at:%Y-%m-%d %H:%M:%S}",
            naturaltime(dead_letter.died_at),
        )

    @display(description="Attempts", ordering="attempts")
    def tries(self, dead_letter: DeadLetter) -> int:
        return dead_letter.attempts

    @display(description="Behind it")
    def behind(self, dead_letter: DeadLetter) -> str:
        waiting = dead_letter.waiting_behind  # type: ignore[attr-defined]
        return str(waiting or "–")

    @display(description="State", label=STATE_COLOURS)
    def standing(self, dead_letter: DeadLetter) -> tuple[str, str]:
        return dead_letter.state, str(DeadLetterState(dead_letter.state).label)

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Open ones all have the same state: the column appears when others are shown."""
        columns = list(self.list_display)
        shows_open_only = request.GET.get("state", "open") == "open"
        if not shows_open_only or "event_uid" in request.GET:
            columns.insert(1, "standing")
        return columns

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        context = {"title": "Fallback queue", **(extra_context or {})}
        if request.method == "GET" and self.has_view_permission(request):
            is_open = DeadLetter.objects.filter(state=DeadLetterState.OPEN)
            newest = is_open.order_by("-died_at", "id").values("pk")[:MOST_COUNTED]
            context["causes"] = get_groups(DeadLetter.objects.filter(pk__in=newest), limit=_CAUSES)
            context["chosen_cause"] = request.GET.get("fingerprint", "")
        return super().changelist_view(request, context)
