"""Connections and what they brought, in the tenant's admin. Tokens and secrets are shown once."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.decorators import action, display

from apps.sync import connecting
from apps.sync.api_connections import hook_url
from apps.sync.connecting import BadConnection, Made
from apps.sync.connection_health import get_health
from apps.sync.connectors.registry import list_connectors
from apps.sync.models import Connection, Reception
from apps.sync.receiving import open_reception
from apps.sync.silence import ENOUGH
from apps.web.admin import ReadOnly, TenantAdmin
from apps.web.templatetags.times import moment, span
from pms_events.errors import Unreadable

_SHOWN_OF_BODY = 64 * 1024
_LABELS = {"good": "success", "notice": "info", "warning": "warning", "danger": "danger"}


def _connector_choices() -> list[tuple[str, str]]:
    return [(connector.name, connector.title) for connector in list_connectors()]


class ConnectionForm(forms.ModelForm):
    """What a person may set about a connection, under the same rules as the API."""

    connector = forms.ChoiceField(choices=_connector_choices)
    is_signed = forms.BooleanField(
        required=False,
        label="signed",
        help_text="requests must carry a Standard Webhooks signature",
    )

    class Meta:
        model = Connection
        fields = ["name", "connector", "silent_after", "is_enabled"]
        help_texts = {
            "silent_after": "such as 06:00:00, or 2 00:00:00 for two days; "
            "empty: learned from the usual gap"
        }

    def clean_silent_after(self) -> timedelta | None:
        limit: timedelta | None = self.cleaned_data["silent_after"]
        try:
            connecting.check_silent_after(limit)
        except BadConnection as error:
            raise ValidationError(str(error)) from error
        return limit


@admin.register(Connection)
class ConnectionAdmin(TenantAdmin):
    """Connections with their health. Every change goes through `connecting`."""

    form = ConnectionForm
    list_display = [
        "name", "health", "last_received", "received_count", "refused_count", "connector",
    ]  # fmt: skip
    list_filter = ["is_enabled"]
    search_fields = ["name"]
    readonly_fields = [
        "how_it_does", "received_count", "last_received", "usually", "refused_count",
        "last_refused", "is_signed", "made",
    ]  # fmt: skip
    actions_detail = ["rotate_token", "rotate_secret"]
    nothing_title = "No outside sender is connected"
    nothing_why = (
        "Each channel manager, device bridge or other system that posts to us is one connection, "
        "shown here with when it was last heard. Add one to get its address, and give that to the sender."
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return ["name", "connector", "is_signed", "silent_after"]
        return ["name", "silent_after", "is_enabled", "connector", *self.readonly_fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["connector", *self.readonly_fields] if obj else []

    @display(description="health", label={v: v for v in ("success", "info", "warning", "danger")})
    def health(self, connection: Connection) -> tuple[str, str]:
        found = get_health(connection)
        return _LABELS[found.tone], found.said

    @display(description="health")
    def how_it_does(self, connection: Connection) -> str:
        return get_health(connection).said

    @display(description="usual gap")
    def usually(self, connection: Connection) -> str:
        if connection.gaps_seen < ENOUGH:
            return "not known yet"
        return f"{span(connection.usual_gap)}; the longest of late {span(connection.longest_gap)}"

    @display(description="last received", ordering="last_received_at")
    def last_received(self, connection: Connection) -> str:
        return moment(connection.last_received_at)

    @display(description="last refused")
    def last_refused(self, connection: Connection) -> str:
        return moment(connection.last_refused_at)

    @display(description="made")
    def made(self, connection: Connection) -> str:
        return moment(connection.created_at)

    @display(description="signed", boolean=True)
    def is_signed(self, connection: Connection) -> bool:
        return connection.is_signed

    def save_model(
        self, request: HttpRequest, obj: Connection, form: ConnectionForm, change: bool
    ) -> None:
        values = form.cleaned_data
        if change:
            connecting.update_connection(
                obj,
                name=values["name"],
                silent_after=values["silent_after"],
                is_enabled=values["is_enabled"],
                now=timezone.now(),
            )
            return
        made = connecting.create_connection(
            name=values["name"],
            connector=values["connector"],
            silent_after=values["silent_after"],
            is_signed=values["is_signed"],
            now=timezone.now(),
        )
        obj.pk = made.connection.pk
        request.made = made  # type: ignore[attr-defined]  # for the answer alone: no cookie keeps it

    def response_add(
        self, request: HttpRequest, obj: Connection, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the address and the secret now, in the answer itself, for they are shown once."""
        made: Made = request.made  # type: ignore[attr-defined]
        return self._show_once(request, made, "Connection made")

    def delete_model(self, request: HttpRequest, obj: Connection) -> None:
        connecting.delete_connection(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        for connection in queryset:
            connecting.delete_connection(connection)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Name the connections alone: listing all that they brought could be a million lines."""
        return [str(connection) for connection in objs], {"connections": len(objs)}, set(), []

    @action(description="Rotate token", url_path="rotate-token", permissions=["change"], icon="key")
    def rotate_token(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then show a new address."""
        connection = get_object_or_404(Connection, pk=object_id)
        if request.method != "POST":
            return self._ask(request, connection, "Rotate the token", "address")
        made = connecting.rotate_token(connection, now=timezone.now())
        return self._show_once(request, made, "New address")

    @action(
        description="Rotate secret",
        url_path="rotate-secret",
        permissions=["change"],
        icon="lock_reset",
    )
    def rotate_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then show a new secret."""
        connection = get_object_or_404(Connection, pk=object_id)
        if request.method != "POST":
            return self._ask(request, connection, "Rotate the secret", "secret")
        made = connecting.rotate_secret(connection, now=timezone.now())
        return self._show_once(request, made, "New secret")

    def _ask(
        self, request: HttpRequest, connection: Connection, title: str, what: str
    ) -> HttpResponse:
        shown = {"connection": connection, "what": what, "title": title, "opts": self.opts}
        return self._page(request, "sync/rotate.html", shown)

    def _show_once(self, request: HttpRequest, made: Made, title: str) -> HttpResponse:
        shown = {
            "connection": made.connection,
            "url": hook_url(request, made.token) if made.token else "",
            "secret": made.secret or "",
            "title": title,
            "opts": self.opts,
        }
        return self._page(request, "sync/shown_once.html", shown)

    def _page(self, request: HttpRequest, template: str, shown: dict[str, Any]) -> HttpResponse:
        context = {**self.admin_site.each_context(request), **shown}
        return TemplateResponse(request, template, context)


@admin.register(Reception)
class ReceptionAdmin(ReadOnly, TenantAdmin):
    """Received bodies, newest first, until they expire."""

    list_display = ["received", "connection", "size", "read", "expires"]
    list_filter = ["connection"]
    list_select_related = ["connection"]
    search_fields = ["=id"]
    search_help_text = "a body's id, as the event connection.body_received names it"
    ordering = ["-expires_at"]  # has an index, and all are kept for the same time: the newest first
    show_facets = admin.ShowFacets.NEVER
    fields = ["sender", "received", "read", "expires", "size", "headers", "body"]
    readonly_fields = ["sender", "received", "read", "expires", "headers", "body"]
    nothing_title = "No body is kept"
    nothing_why = "What connections post is kept here as it came, encrypted, until it expires."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reception]:
        """Read a body where one is shown: a page of the list would be 50 times 10 MiB."""
        return super().get_queryset(request).defer("sealed")

    @display(description="connection")
    def sender(self, reception: Reception) -> str:
        return reception.connection.name

    @display(description="received", ordering="received_at")
    def received(self, reception: Reception) -> str:
        return moment(reception.received_at)

    @display(description="read")
    def read(self, reception: Reception) -> str:
        return moment(reception.read_at)

    @display(description="expires", ordering="expires_at")
    def expires(self, reception: Reception) -> str:
        return moment(reception.expires_at)

    @display(description="headers")
    def headers(self, reception: Reception) -> str:
        try:
            found = open_reception(reception).headers
        except Unreadable as error:
            return str(error)
        return "\n".join(f"{name}: {value}" for name, value in sorted(found.items()))

    @display(description="body")
    def body(self, reception: Reception) -> str:
        """The body as text, cut short: what cannot be read as UTF-8 is replaced."""
        try:
            found = open_reception(reception).body
        except Unreadable as error:
            return str(error)
        return found[:_SHOWN_OF_BODY].decode("utf-8", "replace").replace("\x00", "�")
