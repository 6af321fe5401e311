"""The fallback queue in the tenant's admin: what needs a person, in a person's words."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from apps.fallback.admin_bulk import BulkActions
from apps.fallback.admin_correct import CorrectPages
from apps.fallback.admin_filters import (
    EVENT,
    AssigneeFilter,
    CategoryFilter,
    HandlerFilter,
    ReasonFilter,
    StateFilter,
)
from apps.fallback.admin_groups import REASON_COLOURS, GroupsPage
from apps.fallback.admin_progress import BulkActionAdmin as BulkActionAdmin
from apps.fallback.admin_review import STATE_COLOURS, ReviewPages
from apps.fallback.filters import DeadLetterFilter, search
from apps.fallback.groups import get_groups
from apps.fallback.models import DeadLetter, DeadLetterState
from apps.fallback.queries import count_behind_each
from apps.fallback.sentences import describe_each
from apps.fallback.templatetags.fallback_shown import ago
from apps.web.lists import PreparedChangeList


class QueueList(PreparedChangeList):
    """The list of items. Its views (all that are open, mine) are no filters that somebody set."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        asked = request.GET.dict()
        if asked == {"assignee": request.user.get_username()}:
            self.nothing_title = "You look after nothing"
            self.nothing_why = "Dead letters that are assigned to you, by you or others, are here."
        elif asked == {"state": DeadLetterState.OPEN.value}:
            self.nothing_title = DeadLetterAdmin.nothing_title
        else:
            return
        self.has_active_filters = False


@admin.register(DeadLetter)
class DeadLetterAdmin(GroupsPage, CorrectPages, ReviewPages, BulkActions):
    """Causes first, then dead letters, open ones first. Nobody adds, edits or deletes one."""

    list_display = ["what_happened", "why", "died", "behind", "looked_after"]
    list_display_links = ["what_happened"]
    list_select_related = ["assignee"]
    list_filter = [StateFilter, ReasonFilter, HandlerFilter, CategoryFilter, AssigneeFilter]
    search_fields = ["subject"]  # makes the box appear; `get_search_results` searches
    search_help_text = "words in the subject, error, event type or handler"
    list_before_template = "fallback/above_items.html"
    nothing_title = "Nothing needs a person"
    nothing_why = (
        "When an event cannot be handled and trying again did not help, it waits here until "
        "somebody retries, corrects or discards it."
    )

    class Media:
        css = {"all": ["events/story.css", "fallback/queue.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_ordering(self, request: HttpRequest) -> list[str]:
        return ["-died_at", "id"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[QueueList]:
        return QueueList

    def prepare_page(self, rows: Sequence[DeadLetter]) -> None:
        """Say what happened to a page's dead letters and count who waits behind them, at once."""
        behind = count_behind_each(rows)
        sentences = describe_each(rows)
        for row in rows:
            row.sentence = sentences[row.pk]  # type: ignore[attr-defined]
            row.waiting_behind = behind.get(row.pk, 0)  # type: ignore[attr-defined]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter], search_term: str
    ) -> tuple[QuerySet[DeadLetter], bool]:
        return search(queryset, search_term), False

    @display(description="What happened")
    def what_happened(self, dead_letter: DeadLetter) -> str:
        tries = "1 attempt" if dead_letter.attempts == 1 else f"{dead_letter.attempts} attempts"
        return format_html(
            '<span class="said">{} <small>{}, {}</small></span>',
            dead_letter.sentence,  # type: ignore[attr-defined]
            dead_letter.handler,
            tries,
        )

    @display(description="Reason", label=REASON_COLOURS)
    def why(self, dead_letter: DeadLetter) -> tuple[str, str]:
        return dead_letter.reason, dead_letter.reason.replace("_", " ")

    @display(description="Died")
    def died(self, dead_letter: DeadLetter) -> str:
        return format_html('<span class="whitespace-nowrap">{}</span>', ago(dead_letter.died_at))

    @display(description="Behind it")
    def behind(self, dead_letter: DeadLetter) -> str:
        waiting = dead_letter.waiting_behind  # type: ignore[attr-defined]
        return str(waiting or "–")

    @display(description="Assignee")
    def looked_after(self, dead_letter: DeadLetter) -> str:
        return dead_letter.assignee.get_username() if dead_letter.assignee else "–"

    @display(description="State", label=STATE_COLOURS)
    def standing(self, dead_letter: DeadLetter) -> tuple[str, str]:
        return dead_letter.state, str(DeadLetterState(dead_letter.state).label)

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Open ones all have the same state: the column appears when others are shown."""
        columns = list(self.list_display)
        shows_open_only = request.GET.get("state", "open") == "open"
        if not shows_open_only or EVENT in request.GET:
            columns.insert(1, "standing")
        return columns

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show causes first; the address of items says which."""
        if request.method == "GET" and not request.GET:
            return self.groups_view(request)
        me = request.user.get_username()
        is_mine = request.GET.get("assignee") == me
        context: dict[str, Any] = {"title": "Fallback queue", "tab": "mine" if is_mine else "items"}
        fingerprint = request.GET.get("fingerprint", "")
        if request.method == "GET" and fingerprint and self.has_view_permission(request):
            chosen = DeadLetterFilter(fingerprint=fingerprint)
            found = get_groups(chosen, limit=1, now=timezone.now()).found
            context |= {
                "group": found[0] if found else None,
                "may_act": self.has_change_permission(request),
            }
        return super().changelist_view(request, {**context, **(extra_context or {})})
