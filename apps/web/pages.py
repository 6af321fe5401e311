"""What a person sees when a page cannot be shown; programs get problems (`problems.py`)."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse

from apps.tenants.entering import PUBLIC, current_schema
from apps.web import problems

_TITLES = {
    400: "This page cannot be read",
    403: "You may not see this",
    404: "There is nothing here",
    500: "Something broke on our side",
}
_WHY = {
    400: "The address or the form is broken: go back and try again.",
    403: "Your account lacks the permission. Ask whoever looks after people here to give it to you.",
    404: "The address is wrong, or what was here is gone.",
    500: "It is in the log. Try again; if it happens again, tell the operator when it happened.",
}


class PagesMiddleware:
    """Shows what the admin refuses as a page with a way on, in debug mode, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Refuse U+0000 in a filter or search: PostgreSQL takes it in no text."""
        has_nul = "%00" in request.META.get("QUERY_STRING", "")
        return show(request, 400) if has_nul and _is_for_people(request) else None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not _is_for_people(request):
            return None
        match exception:
            case Http404():
                # Django's own say "No X matches the given query", which helps nobody.
                said = exception.args[0] if exception.args else ""
                return show(
                    request, 404, said if isinstance(said, str) and said.endswith(".") else ""
                )
            case PermissionDenied():
                return show(request, 403, _FOREIGN if current_schema() == PUBLIC else "")
            case BadRequest():
                return show(request, 400, str(exception))
        return None


_FOREIGN = "What a tenant has is shown on the tenant's own host, to the tenant's people alone."


def show(request: HttpRequest, status: int, why: str = "") -> HttpResponse:
    """Answer a page that says what is wrong. `why`: a sentence; empty: the usual one."""
    context = {
        **admin.site.each_context(request),
        "title": _TITLES[status],
        "why": why or _WHY[status],
        "is_nav_sidebar_enabled": request.user.is_authenticated,
    }
    return TemplateResponse(request, "web/problem.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return (
        show(request, 400) if _is_for_people(request) else problems.bad_request(request, exception)
    )


def denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return (
        show(request, 403)
        if _is_for_people(request)
        else problems.answer(403, "This is not allowed.")
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return show(request, 404) if _is_for_people(request) else problems.not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer without asking the database or the session: they may be what broke."""
    if not _is_for_people(request):
        return problems.server_error(request)
    words = {"title": _TITLES[500], "why": _WHY[500]}
    return HttpResponse(render_to_string("web/broken.html", words), status=500)


def _is_for_people(request: HttpRequest) -> bool:
    return request.path.startswith("/admin/") and hasattr(request, "user")
