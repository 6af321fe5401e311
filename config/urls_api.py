"""The API and the hooks, the same on every host; the key or the token names the tenant."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from apps.engine.api import StatsView, metrics, readyz
from apps.sync.hooks import receive_hook
from apps.web.problems import no_such_address

API_APPS = [
    "events",
    "dispatch",
    "properties",
    "calendars",
    "bookings",
    "housekeeping",
    "reporting",
    "sync",
    "fallback",
]

urlpatterns = [
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    re_path(r"^hooks/(?P<token>[^/]+)/?$", receive_hook, name="hook"),
    *[path("api/v1/", include(f"apps.{app}.urls")) for app in API_APPS],
    path("api/v1/stats", StatsView.as_view(), name="stats"),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/v1/docs/",
        SpectacularSwaggerView.as_view(url_name="schema", metadata_class=None),
        name="docs",
    ),
    # Also in debug mode, where Django shows a page of its own.
    path("api/<path:rest>", no_such_address),
]
