"""Lists come in pages by cursor: constant cost, however deep."""

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Field
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from apps.web.problems import Problem
from pms_events.errors import FieldError


def bad_cursor() -> Problem:
    """Tell that a cursor is not one of this list."""
    return Problem(
        422,
        "The cursor is not one that was given out.",
        errors=[FieldError(pointer="#/cursor", detail="follow `next` and `previous`")],
    )


class CursorPages(CursorPagination):
    """`results, next, previous`; `?limit=` up to 500. A view names its `ordering`."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 500
    ordering: str | tuple[str, ...] = "-id"

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any] | None:
        first = self.ordering if isinstance(self.ordering, str) else self.ordering[0]
        self._field: Field[Any, Any] = queryset.model._meta.get_field(first.lstrip("-"))
        return super().paginate_queryset(queryset, request, view)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Read the cursor. Raises: Problem 422 when it was not given out by a list like this one."""
        try:
            cursor = super().decode_cursor(request)
        except NotFound as error:
            raise bad_cursor() from error
        if cursor is not None and cursor.position is not None:
            _check_position(self._field, str(cursor.position))
        return cursor


def _check_position(field: "Field[Any, Any]", position: str) -> None:
    """Raises: Problem 422 unless the field could have this value: anybody can write a cursor."""
    try:
        value = field.to_python(position)
        if isinstance(value, datetime):
            value.astimezone(UTC)
    except (ValidationError, ValueError, OverflowError) as error:
        raise bad_cursor() from error
    if "\x00" in position:
        raise bad_cursor()
