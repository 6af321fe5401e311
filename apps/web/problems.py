"""Errors as RFC 9457 `application/problem+json`: every error of the API is written here."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions

from pms_events.errors import FieldError

log = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"


class Problem(exceptions.APIException):
    """An answer that is a problem: status, one sentence, and a pointer to each bad field."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str = "",
        errors: list[FieldError] | None = None,
        retry_after: int | None = None,
        **members: Any,
    ) -> None:
        self.status_code = status
        self.problem = body(status, detail, code=code, errors=errors or [], **members)
        self.wait = retry_after
        super().__init__(detail)


def body(
    status: int, detail: str, *, code: str = "", errors: list[FieldError] | None = None, **more: Any
) -> dict[str, Any]:
    """Write a problem's members. `errors` become `[{"pointer", "detail"}]`."""
    title = HTTPStatus(status).phrase
    problem: dict[str, Any] = {
        "type": f"about:blank#{code}" if code else "about:blank",
        "title": title,
    }
    problem |= {"status": status, "detail": detail, **more}
    if errors:
        problem["errors"] = [{"pointer": e.pointer, "detail": e.detail} for e in errors]
    return problem


def handle(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Turn any exception of an API view into a problem (DRF's EXCEPTION_HANDLER).

    What nobody expected is left to Django, which logs it; the middleware writes that problem.
    """
    headers: dict[str, str] = {}
    if isinstance(error, Http404):
        error = exceptions.NotFound(_say_what_is_missing(error))
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, OperationalError | InterfaceError):
        log.error("database unavailable", exc_info=error)
        problem = body(503, "The database is unavailable: nothing was stored; try again.")
        headers["Retry-After"] = "5"
    elif isinstance(error, Problem):
        problem = error.problem
    elif isinstance(error, exceptions.ValidationError):
        problem = body(422, "Some fields are not valid.", errors=flatten(error.detail))
    elif isinstance(error, exceptions.APIException):
        problem = body(error.status_code, str(error.detail))
    else:
        return None
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    # Written here and not by a renderer: a view may render pages or YAML only.
    return respond(problem, headers)


def _say_what_is_missing(error: Http404) -> str:
    """Say what was not found; Django's own words speak of queries and of our tables' names."""
    text = str(error)
    if not text or text.endswith("matches the given query."):
        return "This tenant has nothing of this kind under this id: the list shows what there is."
    return text


def flatten(detail: Any, pointer: str = "#") -> list[FieldError]:
    """Turn DRF's nested errors into a list of pointers and sentences."""
    if isinstance(detail, dict):
        return [
            error
            for name, part in detail.items()
            for error in flatten(
                part, pointer if name == "non_field_errors" else f"{pointer}/{name}"
            )
        ]
    if isinstance(detail, list):
        errors = []
        for index, part in enumerate(detail):
            nested = isinstance(part, dict | list)
            errors += flatten(part, f"{pointer}/{index}" if nested else pointer)
        return errors
    return [FieldError(pointer=pointer, detail=str(detail))]


def answer(status: int, detail: str, **headers: str) -> HttpResponse:
    """Write a problem outside of DRF (middleware, Django's own error handlers)."""
    return respond(body(status, detail), headers)


def respond(problem: Mapping[str, Any], headers: Mapping[str, str]) -> HttpResponse:
    text = write(problem)
    answer = HttpResponse(
        text, status=problem["status"], content_type=CONTENT_TYPE, headers=dict(headers)
    )
    answer["Content-Length"] = str(len(text))
    return answer


def write(problem: Mapping[str, Any]) -> bytes:
    return json.dumps(problem, cls=DjangoJSONEncoder, separators=(",", ":")).encode()


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(404, "There is nothing at this address.")


def no_such_address(request: HttpRequest, rest: str) -> HttpResponse:
    return answer(404, f"There is nothing at /api/{rest}: see /api/v1/docs/.")


def server_error(request: HttpRequest) -> HttpResponse:
    return answer(500, _DETAILS[500])


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(400, _DETAILS[400])


_DETAILS = {
    400: "The request cannot be read.",
    403: "This is not allowed from here.",
    404: "There is nothing at this address.",
    405: "This address does not take this method: see Allow.",
    413: "The body is too large.",
    500: "Something broke on our side: it is in the log, and nothing was accepted.",
}


def instead_of(page: HttpResponse) -> HttpResponse:
    """Write the problem that an error page of Django's stands for."""
    headers = {name: page[name] for name in ("Allow", "Retry-After") if name in page}
    status = page.status_code
    return answer(status, _DETAILS.get(status, HTTPStatus(status).description), **headers)
