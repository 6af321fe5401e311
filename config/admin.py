"""The menu of the admin: what needs a person first, then the log, the daily work, and settings."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

_FIRST = ["fallback", "events"]
_LAST = ["dispatch", "auth"]


def get_navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """List what this person may see on this host (unfold's SIDEBAR navigation)."""
    return [
        {
            "title": app["name"],
            "items": [
                {"title": model["name"], "link": model["admin_url"]}
                for model in app["models"]
                if model["admin_url"]
            ],
        }
        for app in sorted(admin.site.get_app_list(request), key=_place)
    ]


def _place(app: dict[str, Any]) -> tuple[int, str]:
    label = app["app_label"]
    if label in _FIRST:
        return _FIRST.index(label), ""
    return len(_FIRST) + (label in _LAST), app["name"]
