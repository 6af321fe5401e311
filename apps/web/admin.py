"""Admin classes that appear in the right schema only: tenants' tables on tenants, ours on ours."""

from collections.abc import Callable, Sequence
from functools import cache, reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.db.models import DateTimeField, Model, Q, QuerySet, UUIDField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.admin import ModelAdmin
from unfold.decorators import display

from apps.tenants.entering import PUBLIC, current_schema
from apps.web.lists import CappedPaginator
from apps.web.templatetags.times import moment


@cache
def _tell(model: type[Model], name: str) -> Callable[[Model], str]:
    """Make the column that tells a time of a model as people read it."""

    @display(description=label_for_field(name, model), ordering=name)
    def told(row: Model) -> str:
        return moment(getattr(row, name))

    told.__name__ = name
    return told


class TimesTold:
    """A mixin: times are told in the reader's zone with how long ago. Put it before the admin class.

    In lists, and in forms where nobody edits them.
    """

    model: type[Model]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._told(column) for column in super().get_list_display(request)]  # type: ignore[misc]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        edited = set() if self._is_locked(request, obj) else set(self._edited(request, obj))
        return [
            (title, {**options, "fields": self._told_fields(options["fields"], edited)})
            for title, options in super().get_fieldsets(request, obj)  # type: ignore[misc]
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        names = list(super().get_readonly_fields(request, obj))  # type: ignore[misc]
        shown = self._own_fields() if self._is_locked(request, obj) else names
        return names + [told for name in shown if (told := self._told(name)) is not name]

    def _is_locked(self, request: HttpRequest, obj: Any) -> bool:
        return obj is not None and not self.has_change_permission(request, obj)  # type: ignore[attr-defined]

    def _edited(self, request: HttpRequest, obj: Any) -> Sequence[str]:
        readonly = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        return [name for name in self._own_fields() if name not in readonly]

    def _own_fields(self) -> list[str]:
        return [field.name for field in self.model._meta.fields]

    def _told_fields(self, fields: Sequence[Any], edited: set[str]) -> list[Any]:
        shown = [
            tuple(self._told_fields(field, edited))
            if isinstance(field, list | tuple)
            else field
            if field in edited
            else self._told(field)
            for field in fields
        ]
        return list(dict.fromkeys(shown))  # readonly ones are among the fields already

    def _told(self, column: Any) -> Any:
        if not isinstance(column, str) or hasattr(self, column):
            return column
        fields = {field.name: field for field in self.model._meta.fields}
        return (
            _tell(self.model, column) if isinstance(fields.get(column), DateTimeField) else column
        )


class _Placed(TimesTold, ModelAdmin):
    """A model admin that exists in some schemas only.

    Its list may be large: it counts up to a limit, and its columns cannot be sorted by unless the
    class names those that have an index (`sortable_by`).
    """

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # counting each choice reads the whole table
    paginator = CappedPaginator
    list_filter_sheet = True
    list_per_page = 50

    def get_sortable_by(self, request: HttpRequest) -> Sequence[Any]:
        return self.sortable_by or ()

    def is_here(self) -> bool:
        raise TypeError("use TenantAdmin or PlatformAdmin")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find a uid by its index: Django would compare it as text with every row's."""
        names = [name.removeprefix("=") for name in self.search_fields if name.startswith("=")]
        uids = [n for n in names if isinstance(self.model._meta.get_field(n), UUIDField)]
        if not uids or len(uids) < len(self.search_fields) or not search_term:
            return super().get_search_results(request, queryset, search_term)
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            return queryset.none(), False
        return queryset.filter(reduce(or_, (Q(**{name: wanted}) for name in uids))), False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.is_here() and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_here() and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_here() and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_here() and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_here() and super().has_delete_permission(request, obj)


class TenantAdmin(_Placed):
    """A screen of tenants: the platform has no such table."""

    def is_here(self) -> bool:
        return current_schema() != PUBLIC


class PlatformAdmin(_Placed):
    """A screen of the platform: tenants must not see each other."""

    def is_here(self) -> bool:
        return current_schema() == PUBLIC


class EverywhereAdmin(_Placed):
    """A screen that both have; it shows each what is theirs."""

    def is_here(self) -> bool:
        return True


class ReadOnly:
    """A mixin: the screen shows, nobody adds, changes or deletes. Put it before the admin class."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def link_to_log(words: str, /, **filters: str) -> str:
    """Write a link to the event log with these filters set."""
    url = f"{reverse('admin:events_event_changelist')}?{urlencode(filters)}"
    return format_html('<a class="text-primary-600 underline" href="{}">{}</a>', url, words)


def link_to_event(text: str, uid: UUID) -> str:
    """Write a link to the story of an event."""
    url = reverse("admin:events_event_change", args=[uid])
    return format_html('<a class="text-primary-600 underline" href="{}">{}</a>', url, text)
