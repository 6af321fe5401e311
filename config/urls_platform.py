"""Addresses on the platform's host."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
handler400 = "apps.web.problems.bad_request"
handler404 = "apps.web.problems.not_found"
handler500 = "apps.web.problems.server_error"
