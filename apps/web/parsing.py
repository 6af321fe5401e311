"""The request body of the API: bounded, and as strict JSON."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from apps.web.problems import Problem
from pms_events.errors import FieldError
from pms_events.strict_json import UnreadableJson, loads

MAX_BODY = 10 * 1024 * 1024


class StrictJsonParser(BaseParser):
    """A parser of `application/json` that refuses what cannot be stored: 400 with the reason."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        raw = read_body(stream)
        return read_json(raw) if raw.strip() else {}


def read_body(source: Any) -> bytes:
    """Read a body (a request or a stream) whole. Raises: Problem 413, or 400 when it breaks off."""
    try:
        body: bytes = source.read(MAX_BODY + 1)
    except OSError as error:
        raise Problem(400, "The body broke off: send it again.") from error
    if len(body) > MAX_BODY:
        raise Problem(413, f"The body is larger than {MAX_BODY} bytes: send less at once.")
    return body


def read_json(raw: bytes) -> Any:
    """Read a body. Raises: Problem 400."""
    try:
        return loads(raw)
    except UnreadableJson as error:
        where = [FieldError(pointer=error.pointer, detail=error.detail)]
        raise Problem(400, f"The body cannot be read: {error.detail}", errors=where) from error
