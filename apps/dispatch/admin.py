"""Routes in the tenant's admin: its own only; refused deliveries in the platform's."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from apps.dispatch.models import RefusedDelivery, Route
from apps.tenants.entering import current_tenant
from apps.web.admin import PlatformAdmin, ReadOnly, TenantAdmin
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
    search_fields = ["handler", "reason"]
    ordering = ["-refused_at"]
    nothing_title = "No delivery was refused"
    nothing_why = "A delivery whose tenant does not exist ends here instead of running anywhere."
