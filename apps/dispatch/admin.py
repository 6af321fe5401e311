"""Routes, pauses and limits, shares, refused deliveries: each tenant its own, the platform all."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.dispatch.caps import BadScope, check_scope, remove_cap
from apps.dispatch.models import Cap, RefusedDelivery, Route, TenantShare
from apps.dispatch.pausing import describe_cap
from apps.dispatch.queries import count_paused
from apps.tenants.entering import PUBLIC, current_schema, current_tenant
from apps.web.admin import EverywhereAdmin, PlatformAdmin, ReadOnly, TenantAdmin
from pms_events.handlers import handlers


class RouteForm(forms.ModelForm):
    """A route of the current tenant; the handler is one that the program has."""

    class Meta:
        model = Route
        fields = ["handler", "pattern", "is_on", "priority"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {handler.name for handler in handlers} | ({self.instance.handler} - {""})
        self.fields["handler"] = forms.ChoiceField(
            choices=[(name, name) for name in sorted(names)], widget=UnfoldAdminSelectWidget
        )
        self.fields["pattern"].help_text = "booking.created, booking.*, or * for every event"
        self.fields["is_on"].help_text = "Off: this handler ignores these events from now on."
        self.fields["priority"].help_text = "P0 is the most urgent; empty: as in the catalogue."
        if self.instance.pk is None:
            self.instance.tenant_id = current_tenant().id

    def clean(self) -> dict[str, Any]:
        """Say it in words when there is such a route: the tenant is no field of the form."""
        cleaned = super().clean() or self.cleaned_data
        same = Route.objects.filter(
            tenant_id=current_tenant().id,
            pattern=cleaned.get("pattern"),
            handler=cleaned.get("handler"),
        )
        if same.exclude(pk=self.instance.pk).exists():
            raise ValidationError("There is a route for this handler and these event types.")
        return cleaned


@admin.register(Route)
class RouteAdmin(TenantAdmin):
    """What this tenant decided about handlers. The table is shared, so rows are always filtered."""

    form = RouteForm
    list_display = ["handler", "pattern", "is_on", "priority"]
    list_filter = ["is_on"]
    search_fields = ["handler", "pattern"]
    search_help_text = "words in the handler or the event types"
    sortable_by = ["handler", "pattern", "priority"]
    nothing_title = "Every handler does its usual work"
    nothing_why = (
        "Add a route to switch a handler off for some event types, or to make it more urgent."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Route]:
        return super().get_queryset(request).filter(tenant_id=current_tenant().id)

    def save_model(
        self, request: HttpRequest, obj: Route, form: forms.ModelForm, change: bool
    ) -> None:
        obj.tenant_id = current_tenant().id
        super().save_model(request, obj, form, change)


@admin.register(RefusedDelivery)
class RefusedDeliveryAdmin(ReadOnly, PlatformAdmin):
    """Deliveries whose tenant does not exist: shown to the operator, run nowhere."""

    list_display = ["delivery_id", "tenant_id", "handler", "reason", "refused_at"]
    list_filter = ["refused_at"]
    search_fields = ["handler", "reason"]
    search_help_text = "words in the handler or reason"
    ordering = ["-refused_at"]
    nothing_title = "No delivery was refused"
    nothing_why = "A delivery whose tenant does not exist ends here instead of running anywhere."


class CapForm(forms.ModelForm):
    """A pause or limit; a tenant's is its own, the platform may choose any."""

    class Meta:
        model = Cap
        fields = ["category", "tenant", "handler", "target", "at_most", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own_tenant = None if current_schema() == PUBLIC else current_tenant().id
        if self.instance.pk is not None:
            return  # the scope stays: what it keeps back remembers this cap
        self.fields["handler"] = forms.ChoiceField(
            choices=[("", "any"), *((name, name) for name in sorted(h.name for h in handlers))],
            required=False,
            widget=UnfoldAdminSelectWidget,
            help_text="Such as sync.send_webhook for webhooks and mail.",
        )
        self.fields[
            "target"
        ].help_text = "An endpoint's id, to pause that one alone; with its handler."
        self.fields["category"].help_text = "Empty: any category."
        self.fields["reason"].help_text = "Shown to everybody who wonders why nothing runs."
        if self.own_tenant is not None:
            self.instance.tenant_id = self.own_tenant

    def clean(self) -> dict[str, Any]:
        """Say what a scope lacks before it is stored."""
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk is not None:
            return cleaned
        tenant = cleaned.get("tenant")
        tenant_id = self.own_tenant if self.own_tenant is not None else tenant and tenant.pk
        scope: dict[str, Any] = {
            "category": cleaned.get("category") or "",
            "tenant_id": tenant_id,
            "handler": cleaned.get("handler") or "",
            "target": cleaned.get("target") or "",
        }
        try:
            check_scope(**scope)
        except BadScope as error:
            raise ValidationError(str(error)) from error
        if Cap.objects.filter(**scope).exists():
            raise ValidationError("This scope is paused or limited already: change that one.")
        return cleaned


@admin.register(Cap)
class CapAdmin(EverywhereAdmin):
    """Pauses and limits. The table is shared: a tenant sees and ends its own alone."""

    form = CapForm
    list_display = ["scope", "what", "kept_back", "reason", "created_by", "created_at"]
    list_filter = ["category"]
    search_fields = ["handler", "category", "reason"]
    search_help_text = "words in the handler, category or reason"
    actions = ["resume_selected"]
    nothing_title = "Nothing is paused or limited"
    nothing_why = (
        "Add a pause when a handler, an endpoint or a category must not run for a while. Events are "
        "still taken in; what is paused waits, in order, and runs when you end the pause."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cap]:
        caps = super().get_queryset(request).select_related("tenant")
        return caps if current_schema() == PUBLIC else caps.filter(tenant_id=current_tenant().id)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["category", "tenant", "handler", "target"] if obj is not None else []

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        names = ["category", "tenant", "handler", "target", "at_most", "reason"]
        return [n for n in names if n != "tenant" or current_schema() == PUBLIC]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Ending is `resume`, which also makes ready what was kept back."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @display(description="What")
    def scope(self, cap: Cap) -> str:
        return describe_cap(cap).rpartition(": ")[0]

    @display(description="State", label={"paused": "danger"})
    def what(self, cap: Cap) -> str:
        return f"at most {cap.at_most} at once" if cap.at_most else "paused"

    @display(description="Kept back")
    def kept_back(self, cap: Cap) -> str:
        count = count_paused(cap.pk)
        return f"{count}+" if count >= 10_000 else str(count)

    def save_model(
        self, request: HttpRequest, obj: Cap, form: forms.ModelForm, change: bool
    ) -> None:
        obj.created_by = request.user.get_username()
        obj.created_at = timezone.now()
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Cap) -> None:
        remove_cap(obj)

    @admin.action(description="Resume: end selected pauses and limits", permissions=["delete"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Cap]) -> None:
        for cap in queryset:
            remove_cap(cap)
        self.message_user(request, "Resumed: what was kept back runs again.")


class ShareFilter(admin.SimpleListFilter):
    """By how a tenant's share compares with that of the others, which is 1."""

    title = "share"
    parameter_name = "share"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("more", "more than the others"),
            ("less", "less than the others"),
            ("same", "the same as the others"),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[TenantShare]
    ) -> QuerySet[TenantShare]:
        match self.value():
            case "more":
                return queryset.filter(weight__gt=1)
            case "less":
                return queryset.filter(weight__lt=1)
            case "same":
                return queryset.filter(weight=1)
        return queryset


@admin.register(TenantShare)
class TenantShareAdmin(PlatformAdmin):
    """Tenants that get more or fewer turns than the others."""

    list_display = ["tenant", "weight"]
    list_filter = [ShareFilter]
    list_select_related = ["tenant"]
    search_fields = ["tenant__name"]
    search_help_text = "words in the tenant's name"
    nothing_title = "All tenants have the same share"
    nothing_why = "Add one to give a tenant twice (2) or half (0.5) as many turns as the others."
