"""The filters beside the fallback queue. Open dead letters are what a person came for: default."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from apps.fallback.caring import get_assignees
from apps.fallback.filters import ALL, UNASSIGNED, DeadLetterFilter
from apps.fallback.groups import get_handlers
from apps.fallback.models import DeadLetter, DeadLetterState
from pms_events.categories import Category
from pms_events.verdicts import Reason

EVENT = "event_uid"
_NAMES = ("state", "reason", "handler", "category", "assignee", "fingerprint")
_OF_THE_PAGE = {"p", "o", "all", "e"}


class CannotFreeze(ValueError):
    """The list is filtered in a way that a bulk action does not know: it would take too much."""


def filter_of(query: QueryDict) -> DeadLetterFilter:
    """Read the list's address as the filter that shows the same. Raises: CannotFreeze."""
    unknown = set(query) - {*_NAMES, EVENT, "q"} - _OF_THE_PAGE
    if unknown:
        raise CannotFreeze(f"This list is filtered by {', '.join(sorted(unknown))}: select rows.")
    given: dict[str, Any] = {name: query[name] for name in _NAMES if query.get(name)}
    return DeadLetterFilter(**given, event=query.get(EVENT, ""), search=query.get("q", ""))


class StateFilter(SimpleListFilter):
    """Open ones unless asked otherwise; of one event, all."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        self.default = ALL if EVENT in request.GET else DeadLetterState.OPEN.value
        return [(str(value), str(label)) for value, label in DeadLetterState.choices] + [
            (ALL, "all")
        ]

    def chosen(self) -> str:
        return self.value() or self.default

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for value, label in self.lookup_choices:
            yield {
                "selected": self.chosen() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": label,
            }

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> QuerySet[DeadLetter]:
        return queryset if self.chosen() == ALL else queryset.filter(state=self.chosen())


class _Exactly(SimpleListFilter):
    """A filter that names the value of one column."""

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> QuerySet[DeadLetter]:
        return (
            queryset.filter(**{str(self.parameter_name): self.value()})
            if self.value()
            else queryset
        )


class ReasonFilter(_Exactly):
    """Why a delivery died."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [(reason.value, reason.value.replace("_", " ")) for reason in Reason]


class HandlerFilter(_Exactly):
    """The handlers that have open dead letters."""

    title = "handler"
    parameter_name = "handler"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [(name, name) for name in get_handlers()]


class CategoryFilter(_Exactly):
    """The categories of the catalogue."""

    title = "category"
    parameter_name = "category"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [(category.value, category.value) for category in Category]


class AssigneeFilter(SimpleListFilter):
    """Who looks after it: me, nobody, or one of the others."""

    title = "assignee"
    parameter_name = "assignee"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        me = request.user.get_username()
        others = get_assignees().exclude(username=me).values_list("username", flat=True)[:50]
        return [(me, "me"), (UNASSIGNED, "nobody"), *[(name, name) for name in others]]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> QuerySet[DeadLetter]:
        if not self.value():
            return queryset
        return DeadLetterFilter(state=ALL, assignee=self.value() or "").apply(queryset)
