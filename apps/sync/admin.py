"""Endpoints and exchanges in the tenant's admin. No secret is ever shown; the API makes them."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.sync import operations
from apps.sync.models import Endpoint, Exchange
from apps.web.admin import ReadOnly, TenantAdmin


@admin.register(Endpoint)
class EndpointAdmin(ReadOnly, TenantAdmin):
    list_display = ["url", "description", "patterns", "is_enabled", "disabled_reason"]
    list_filter = ["is_enabled"]
    search_fields = ["url", "description"]
    actions = ["enable"]

    @admin.action(description="Enable selected endpoints")
    def enable(self, request: HttpRequest, endpoints: QuerySet[Endpoint]) -> None:
        for endpoint in endpoints:
            operations.update_endpoint(endpoint, is_enabled=True)
        messages.success(request, f"{len(endpoints)} enabled.")


@admin.register(Exchange)
class ExchangeAdmin(ReadOnly, TenantAdmin):
    list_display = ["started_at", "endpoint", "status", "attempt", "duration_ms", "error"]
    list_filter = ["status"]
    list_select_related = ["endpoint"]
    search_fields = ["=event_uid"]
    ordering = ["-id"]
