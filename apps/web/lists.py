"""Pages of admin lists over tables that may be large: counting stops, rows get what they need."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

MOST_COUNTED = 10_000
_MOST_VALUES = 100
# Jumps from one value to the next: a look-up in the index for each, however many rows have it.
_VALUES = """WITH RECURSIVE found AS (
    SELECT (SELECT min({column}) FROM {table} WHERE {column} <> '') AS value
    UNION ALL
    SELECT (SELECT min({column}) FROM {table} WHERE {column} > found.value) FROM found
    WHERE found.value IS NOT NULL)
SELECT value FROM found WHERE value IS NOT NULL LIMIT %s"""


def starts_with(text: str, *fields: str) -> Q:
    """Match rows one of whose fields starts with a text, as written or in capitals or small letters.

    By the fields' indexes, which must be of `varchar_pattern_ops`; words inside would read the table.
    """
    found = Q()
    for written in {text, text.upper(), text.lower()}:
        for field in fields:
            found |= Q(**{f"{field}__startswith": written})
    return found


def list_values(model: type[Model], field: str) -> list[str]:
    """List the texts that a field has, by an index that begins with it; at most 100, in order."""
    names = {
        "column": connection.ops.quote_name(field),
        "table": connection.ops.quote_name(model._meta.db_table),
    }
    with connection.cursor() as cursor:
        cursor.execute(_VALUES.format(**names), [_MOST_VALUES])
        return [value for (value,) in cursor.fetchall()]


class ValueFilter(SimpleListFilter):
    """The values that a column has, found by its index. A class names the `field`."""

    field: str

    def __init_subclass__(cls) -> None:
        cls.parameter_name = cls.field

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value) for value in list_values(model_admin.model, self.field)]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.field: self.value()}) if self.value() else queryset


class CappedPaginator(Paginator):
    """A paginator that counts to `MOST_COUNTED` at most: nobody pages further, they filter."""

    template_name = "web/pagination.html"

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_COUNTED].count())


class PreparedChangeList(ChangeList):
    """A list whose model admin's `prepare_page(rows)` loads, at once, what the page's rows show."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: Sequence[Any] = list(vars(self)["result_list"])
        self.model_admin.prepare_page(rows)
        self.result_list = rows
