"""Addresses on the platform's host: its admin and the API."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from config.live.views import urlpatterns as live
from config.urls_api import urlpatterns as api

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    *live,
    path("admin/", admin.site.urls),
    *api,
]
handler400 = "apps.web.pages.bad_request"
handler403 = "apps.web.pages.denied"
handler404 = "apps.web.pages.not_found"
handler500 = "apps.web.pages.server_error"
