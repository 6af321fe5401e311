"""Pages of admin lists over tables that may be large: counting stops, rows get what they need."""

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

MOST_COUNTED = 10_000


class CappedPaginator(Paginator):
    """A paginator that counts to `MOST_COUNTED` at most: nobody pages further, they filter."""

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
