"""The platform's screens of tenants, hosts and API keys.

Not in `apps.tenants`, because the rule of which screen is where lives above it, in `apps.web`.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display

from apps.tenants.models import ApiKey, Domain, Tenant
from apps.tenants.provisioning import HOST_NAME
from apps.web.admin import PlatformAdmin


class _Kept(PlatformAdmin):
    """A screen of rows that come and go by commands, which do more than the row."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Tenant)
class TenantRowAdmin(_Kept):
    """Tenants. Making one makes a schema: `manage.py create_tenant`."""

    list_display = ["name", "schema_name", "is_active", "created_at"]
    list_filter = ["is_active"]
    search_fields = ["name", "schema_name"]
    fields = ["name", "schema_name", "is_active", "created_at"]
    readonly_fields = ["schema_name", "created_at"]
    nothing_title = "No tenants yet"
    nothing_why = "Make the first with: manage.py create_tenant"


class DomainForm(forms.ModelForm):
    """A host name under the rules of `create_tenant`: another could never be reached."""

    def clean_domain(self) -> str:
        host: str = self.cleaned_data["domain"].lower()
        HOST_NAME(host)
        return host


@admin.register(Domain)
class DomainAdmin(PlatformAdmin):
    """Host names, and which tenant each opens."""

    form = DomainForm
    nothing_title = "No host names yet"
    nothing_why = "Making a tenant gives it one: manage.py create_tenant NAME --host HOST"
    list_display = ["domain", "tenant", "is_primary"]
    list_filter = ["is_primary"]
    list_select_related = ["tenant"]
    search_fields = ["domain", "tenant__name"]


@admin.register(ApiKey)
class ApiKeyAdmin(_Kept):
    """API keys: the prefix is shown, the secret is not kept. Made by `create_api_key`."""

    list_display = ["name", "shown_prefix", "tenant", "scope_list", "last_used_at", "standing"]
    list_filter = ["tenant"]
    list_select_related = ["tenant"]
    search_fields = ["name", "prefix", "tenant__name"]
    fields = [
        "name", "tenant", "shown_prefix", "scope_list", "created_at", "expires_at", "revoked_at",
        "last_used_at",
    ]  # fmt: skip
    readonly_fields = [
        "tenant", "shown_prefix", "scope_list", "created_at", "revoked_at", "last_used_at",
    ]  # fmt: skip
    actions = ["revoke_selected"]
    nothing_title = "No API keys yet"
    nothing_why = "Make one with: manage.py create_api_key. Its secret is shown once, there."

    @display(description="Key")
    def shown_prefix(self, key: ApiKey) -> str:
        return f"pms_{key.prefix}_…"

    @display(description="Scopes")
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(
        description="State", label={"usable": "success", "revoked": "danger", "expired": "warning"}
    )
    def standing(self, key: ApiKey) -> str:
        if key.revoked_at:
            return "revoked"
        is_over = key.expires_at is not None and key.expires_at <= timezone.now()
        return "expired" if is_over else "usable"

    @admin.action(description="Revoke selected keys", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        count = queryset.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, f"{count} keys revoked: they open nothing from now on.")
