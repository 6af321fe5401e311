"""The menu of the admin: what needs a person first, then the log, the daily work, and settings."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from apps.tenants.entering import PUBLIC
from apps.tenants.models import Tenant

_FIRST = ["fallback", "events"]
_LAST = ["dispatch", "auth", "django_celery_results"]
# Shown nowhere: nothing here makes groups of tasks.
_LEFT_OUT = {"django_celery_results.groupresult"}


def get_header(request: HttpRequest) -> str:
    """Name whose admin this is: two windows of two tenants must not be mixed up."""
    tenant: Tenant | None = getattr(request, "tenant", None)
    return "Platform" if tenant is None or tenant.schema_name == PUBLIC else tenant.name


def get_navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """List what this person may see on this host (unfold's SIDEBAR navigation)."""
    groups = [
        {
            "title": app["name"],
            "items": [
                {"title": model["name"], "link": model["admin_url"]}
                for model in app["models"]
                if model["admin_url"] and model["model"]._meta.label_lower not in _LEFT_OUT
            ],
        }
        for app in sorted(admin.site.get_app_list(request), key=_place)
    ]
    live = {"title": "Live view", "link": reverse("admin:index")}
    return [{"items": [live]}, *groups] if groups else []


def _place(app: dict[str, Any]) -> tuple[int, str]:
    label = app["app_label"]
    if label in _FIRST:
        return _FIRST.index(label), ""
    if label in _LAST:
        return len(_FIRST) + 1 + _LAST.index(label), ""
    return len(_FIRST), app["name"]
