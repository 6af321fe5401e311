"""Reading `POST /api/v1/events`: the four forms of CloudEvents over HTTP, down to raw events.

Source: CloudEvents HTTP protocol binding 1.0.2. Limits: 1,000 events, 10 MiB a body, 256 KiB an
event.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest

from apps.web.parsing import read_body, read_json
from apps.web.problems import Problem
from pms_events.envelope import MAX_EVENT
from pms_events.errors import FieldError

MAX_EVENTS = 1000

_JSON = "application/json"
_STRUCTURED = "application/cloudevents+json"
_BATCH = "application/cloudevents-batch+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEvents:
    """What a request carries. `is_single`: it was one event, not a list of one."""

    events: list[Any]
    is_single: bool
    is_strict: bool


def read_events(request: HttpRequest) -> RawEvents:
    """Read the events of a request. Raises: Problem 400, 413 or 415."""
    body = _read_body(request)
    content_type = (request.content_type or "").lower()
    if any(name.startswith("HTTP_CE_") for name in request.META):
        return _checked([_binary(request, body)], body, is_single=True, is_strict=True)
    if content_type not in (_JSON, _STRUCTURED, _BATCH):
        raise Problem(
            415, f"The content type '{content_type}' is not read here: use {_JSON}, {_STRUCTURED}, "
            f"{_BATCH}, or binary mode with ce-* headers."
        )  # fmt: skip
    if not body.strip():
        raise Problem(400, "The body is empty: send an event.")
    value = read_json(body)
    is_strict = content_type != _JSON
    if content_type == _BATCH and not isinstance(value, list):
        raise Problem(400, f"A body of type {_BATCH} is a JSON array of events.")
    if content_type == _STRUCTURED and isinstance(value, list):
        raise Problem(400, f"A body of type {_STRUCTURED} is one event: use {_BATCH} for many.")
    if isinstance(value, list):
        return _checked(value, body, is_single=False, is_strict=is_strict)
    return _checked([value], body, is_single=True, is_strict=is_strict)


def _read_body(request: HttpRequest) -> bytes:
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "identity").lower()
    if encoding != "identity":
        raise Problem(415, f"The content encoding '{encoding}' is not read here: send it plain.")
    return read_body(request)


def _binary(request: HttpRequest, body: bytes) -> Mapping[str, Any]:
    event: dict[str, Any] = {
        name[len("HTTP_CE_") :].lower(): unquote(value)
        for name, value in request.META.items()
        if name.startswith("HTTP_CE_")
    }
    if event.keys() & {"data", "data_base64"}:
        raise Problem(400, "In binary mode the data is the body: ce-data is no attribute.")
    content_type = (request.content_type or "").lower()
    if content_type != _JSON and not content_type.endswith("+json"):
        raise Problem(415, f"In binary mode the content type of the data must be {_JSON}.")
    if body.strip():
        event["data"] = read_json(body)
    return event


def _checked(events: list[Any], body: bytes, *, is_single: bool, is_strict: bool) -> RawEvents:
    if len(events) > MAX_EVENTS:
        raise Problem(413, f"{len(events)} events in one request: send at most {MAX_EVENTS}.")
    if len(body) > MAX_EVENT:
        for index, event in enumerate(events):
            size = len(json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode())
            if size > MAX_EVENT:
                where = "#" if is_single else f"#/{index}"
                detail = f"the event has {size} bytes: at most {MAX_EVENT} are taken"
                raise Problem(
                    413, f"An event is too large: {detail}.",
                    errors=[FieldError(pointer=where, detail=detail)],
                )  # fmt: skip
    return RawEvents(events=events, is_single=is_single, is_strict=is_strict)
