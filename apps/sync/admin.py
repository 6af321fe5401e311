"""Endpoints and exchanges in the tenant's admin. No secret is ever shown; the API makes them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from apps.sync import admin_connections, operations
from apps.sync.alerts import ALERTS
from apps.sync.checking import BadEndpoint, check_patterns, check_url, usual_patterns
from apps.sync.models import NOT_TAKEN, Endpoint, Exchange
from apps.sync.receivers import describe_status, is_mail
from apps.web.admin import ReadOnly, TenantAdmin, link_to_event
from apps.web.templatetags.times import moment

assert admin_connections  # importing it registers its screens


class EndpointForm(forms.ModelForm):
    """What a person may set about an endpoint, under the same rules as the API."""

    class Meta:
        model = Endpoint
        fields = ["url", "description", "patterns", "is_enabled"]
        help_texts = {
            "url": "https://… for a signed webhook, or mailto:night@acme.example for e-mail",
            "patterns": "event types it receives, such as booking.created, booking.* or *. "
            "Left empty, a new webhook gets everything (*) and a new mail address the alerts alone: "
            + ", ".join(ALERTS),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance._state.adding and "patterns" in self.fields:
            self.fields["patterns"].required = False
            self.initial["patterns"] = []

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if url == self.initial.get("url"):  # kept as it is, whatever the settings say by now
            return url
        try:
            check_url(url)
        except BadEndpoint as error:
            raise ValidationError(f"The URL {error}") from error
        return url

    def clean_patterns(self) -> list[str]:
        patterns: list[str] = self.cleaned_data["patterns"]
        if not patterns and self.instance._state.adding:
            return usual_patterns(self.cleaned_data.get("url", ""))
        try:
            check_patterns(patterns)
        except BadEndpoint as error:
            raise ValidationError(str(error)) from error
        return patterns


@admin.register(Endpoint)
class EndpointAdmin(TenantAdmin):
    """Endpoints. Every change goes through operations, which keep the subscription in step."""

    form = EndpointForm
    list_display = ["url", "description", "patterns", "is_enabled", "last_exchange"]
    list_filter = ["is_enabled"]
    search_fields = ["url", "description"]
    readonly_fields = ["disabled_reason", "created_at", "updated_at"]
    actions = ["enable"]
    nothing_title = "Nobody is told of events yet"
    nothing_why = (
        "Receivers appear here: a URL that events are posted to, signed, or mailto: and an address. "
        "Each is sent the event types that it names."
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        told = ["is_enabled", *self.readonly_fields] if obj else []
        return ["url", "description", "patterns", *told]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        newest = Exchange.objects.filter(endpoint=OuterRef("pk")).order_by("-id")
        return (
            super()
            .get_queryset(request)
            .annotate(
                last_at=Subquery(newest.values("started_at")[:1]),
                last_status=Subquery(newest.values("status")[:1]),
            )
        )

    @display(description="last exchange")
    def last_exchange(self, endpoint: Any) -> str:
        if endpoint.last_at is None:
            return "none yet"
        said = endpoint.last_status or "no answer"
        if endpoint.last_status and is_mail(endpoint.url):
            said = describe_status(endpoint.url, endpoint.last_status)
        return format_html("{}, {}", said, moment(endpoint.last_at))

    def save_model(
        self, request: HttpRequest, obj: Endpoint, form: EndpointForm, change: bool
    ) -> None:
        values = form.cleaned_data
        if change:
            operations.update_endpoint(obj, **values)
            return
        obj.pk = operations.create_endpoint(**values)[0].pk
        if is_mail(values["url"]):
            return
        messages.info(
            request,
            "To get the signing secret, rotate it: "
            f"POST /api/v1/endpoints/{obj.pk}/rotate-secret shows it once.",
        )

    def delete_model(self, request: HttpRequest, obj: Endpoint) -> None:
        operations.delete_endpoint(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        for endpoint in queryset:
            operations.delete_endpoint(endpoint)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Name the endpoints alone: listing all of their exchanges could be a million lines."""
        return [str(endpoint) for endpoint in objs], {"endpoints": len(objs)}, set(), []

    @admin.action(description="Enable selected endpoints", permissions=["change"])
    def enable(self, request: HttpRequest, endpoints: QuerySet[Endpoint]) -> None:
        enabled = [operations.enable_endpoint(endpoint) for endpoint in endpoints]
        messages.success(request, f"{len(enabled)} enabled.")


class AnswerFilter(admin.SimpleListFilter):
    """By what went wrong, which has an index; to be taken is the usual thing."""

    title = "answer"
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("refused", "refused"), ("none", "no answer")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Exchange]) -> QuerySet[Exchange]:
        match self.value():
            case "refused":
                return queryset.filter(NOT_TAKEN, status__isnull=False)
            case "none":
                return queryset.filter(NOT_TAKEN, status=None)
        return queryset


@admin.register(Exchange)
class ExchangeAdmin(ReadOnly, TenantAdmin):
    """Exchanges, newest first: what was said, cut short, without secrets."""

    list_display = ["started_at", "endpoint", "status", "attempt", "duration_ms", "error"]
    list_filter = [AnswerFilter]
    list_select_related = ["endpoint"]
    search_fields = ["=event_uid"]
    ordering = ["-id"]
    readonly_fields = ["event"]
    nothing_title = "Nothing was sent yet"
    nothing_why = (
        "What was sent to endpoints, and what they answered, appears here: add an endpoint, then try it "
        "or wait for an event that it names."
    )

    @display(description="event", empty_value="none: a test")
    def event(self, exchange: Exchange) -> str | None:
        return link_to_event("Its story", exchange.event_uid) if exchange.event_uid else None
