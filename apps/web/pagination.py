"""Lists come in pages by cursor: constant cost, however deep."""

from rest_framework.pagination import CursorPagination


class CursorPages(CursorPagination):
    """`results, next, previous`; `?limit=` up to 500. A view names its `ordering`."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 500
    ordering: str | tuple[str, ...] = "-id"
