"""Errors as RFC 9457 `application/problem+json`: every error of the API is written here."""

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

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


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn any exception of an API view into a problem (DRF's EXCEPTION_HANDLER)."""
    headers: dict[str, str] = {}
    if isinstance(error, Http404):
        error = exceptions.NotFound(str(error) or "There is nothing here.")
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
    response = Response(problem, status=problem["status"], headers=headers)
    response.content_type = CONTENT_TYPE
    return response


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


def answer(status: int, detail: str, **headers: str) -> JsonResponse:
    """Write a problem outside of DRF (middleware, Django's own error handlers)."""
    return JsonResponse(
        body(status, detail), status=status, content_type=CONTENT_TYPE, headers=headers
    )


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    return answer(404, "There is nothing at this address.")


def no_such_address(request: HttpRequest, rest: str) -> JsonResponse:
    return answer(404, f"There is nothing at /api/{rest}: see /api/v1/docs/.")


def server_error(request: HttpRequest) -> JsonResponse:
    return answer(500, "Something broke on our side: it is in the log, and nothing was accepted.")


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return answer(400, "The request cannot be read.")
