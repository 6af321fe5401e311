"""The filters beside the fallback queue. Open dead letters are what a person came for: default."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.fallback.filters import ALL
from apps.fallback.models import DeadLetter, DeadLetterState
from pms_events.categories import Category

EVENT = "event_uid"


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


class HandlerFilter(SimpleListFilter):
    """The handlers that have open dead letters."""

    title = "handler"
    parameter_name = "handler"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        is_open = DeadLetter.objects.filter(state=DeadLetterState.OPEN)
        names = is_open.order_by("handler").values_list("handler", flat=True).distinct()
        return [(name, name) for name in names]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> QuerySet[DeadLetter]:
        return queryset.filter(handler=self.value()) if self.value() else queryset


class CategoryFilter(SimpleListFilter):
    """The categories of the catalogue."""

    title = "category"
    parameter_name = "category"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [(category.value, category.value) for category in Category]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> QuerySet[DeadLetter]:
        return queryset.filter(category=self.value()) if self.value() else queryset
