"""The request body of the API as strict JSON."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from apps.web.problems import Problem
from pms_events.errors import FieldError
from pms_events.strict_json import UnreadableJson, loads


class StrictJsonParser(BaseParser):
    """A parser of `application/json` that refuses what cannot be stored: 400 with the reason."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        raw = stream.read()
        return read_json(raw) if raw.strip() else {}


def read_json(raw: bytes) -> Any:
    """Read a body. Raises: Problem 400."""
    try:
        return loads(raw)
    except UnreadableJson as error:
        where = [FieldError(pointer=error.pointer, detail=error.detail)]
        raise Problem(400, f"The body cannot be read: {error.detail}", errors=where) from error
