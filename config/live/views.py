"""The live view's place on the admin's home, and the two parts of it that refresh themselves."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone

from apps.tenants.entering import PUBLIC, current_schema
from config.live.charts import WINDOW
from config.live.reading import look
from config.live.workers import see_workers


def add_live(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add a first look to the home page (unfold's DASHBOARD_CALLBACK)."""
    return {**context, "title": "Live view", **_look(request)}


def live(request: HttpRequest) -> HttpResponse:
    """Answer the live view alone, as it is now."""
    return _fresh(render(request, "live/live.html", _look(request)))


def workers(request: HttpRequest) -> HttpResponse:
    """Answer who listens to which queue. Names of workers are the platform's alone."""
    context = {"seen": see_workers(), "is_platform": current_schema() == PUBLIC}
    return _fresh(render(request, "live/workers.html", context))


def _look(request: HttpRequest) -> dict[str, Any]:
    host = request.get_host()
    port = host.rpartition(":")[2] if ":" in host and not host.endswith("]") else ""
    site = f"{request.scheme}://{{host}}" + (f":{port}" if port else "")
    is_platform = current_schema() == PUBLIC
    return {
        "live": look(now=timezone.now(), site=site, may=request.user.has_perm),
        "hours": int(WINDOW.total_seconds() // 3600),
        "here": f"{request.scheme}://{host}",
        "is_platform": is_platform,
    }


def _fresh(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


urlpatterns: list[URLPattern] = [
    path("admin/live/", admin.site.admin_view(live), name="live"),
    path("admin/live/workers/", admin.site.admin_view(workers), name="live-workers"),
]
