"""Admin classes that appear in the right schema only: tenants' tables on tenants, ours on ours."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.admin import ModelAdmin

from apps.tenants.entering import PUBLIC, current_schema


class _Placed(ModelAdmin):
    """A model admin that exists in some schemas only."""

    show_full_result_count = False
    list_per_page = 50

    def is_here(self) -> bool:
        raise TypeError("use TenantAdmin or PlatformAdmin")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.is_here() and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_here() and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_here() and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_here() and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_here() and super().has_delete_permission(request, obj)


class TenantAdmin(_Placed):
    """A screen of tenants: the platform has no such table."""

    def is_here(self) -> bool:
        return current_schema() != PUBLIC


class PlatformAdmin(_Placed):
    """A screen of the platform: tenants must not see each other."""

    def is_here(self) -> bool:
        return current_schema() == PUBLIC


class EverywhereAdmin(_Placed):
    """A screen that both have; it shows each what is theirs."""

    def is_here(self) -> bool:
        return True


class ReadOnly:
    """A mixin: the screen shows, nobody adds, changes or deletes. Put it before the admin class."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def link_to_log(words: str, /, **filters: str) -> str:
    """Write a link to the event log with these filters set."""
    url = f"{reverse('admin:events_event_changelist')}?{urlencode(filters)}"
    return format_html('<a class="text-primary-600 underline" href="{}">{}</a>', url, words)


def link_to_event(text: str, uid: UUID) -> str:
    """Write a link to the story of an event."""
    url = reverse("admin:events_event_change", args=[uid])
    return format_html('<a class="text-primary-600 underline" href="{}">{}</a>', url, text)
