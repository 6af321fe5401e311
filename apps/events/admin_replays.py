"""Replays in the tenant's admin: a preview that says what would happen, then its progress."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.decorators import display

from apps.events.choosing import read_asked, say_filter
from apps.events.filters import EventFilter
from apps.events.models import Replay
from apps.events.replay_control import VERBS, NotPossible, control_replay, get_moves
from apps.events.replay_progress import get_progress
from apps.events.replay_wish import Wish
from apps.events.replaying import Preview, preview_replay, start_replay
from apps.web.admin import TenantAdmin
from apps.web.numbers import read_whole
from apps.web.templatetags.times import moment

COLOURS = {"running": "info", "paused": "warning", "done": "success", "cancelled": "danger"}
_BUTTONS = {"pause": "Pause", "resume": "Resume", "cancel": "Cancel the replay"}


@admin.register(Replay)
class ReplayAdmin(TenantAdmin):
    """Replays, newest first. Nobody edits one: it is started, paused, resumed, cancelled."""

    list_display = ["what", "stands", "progress", "requested_by", "reason", "started"]
    list_filter = ["state"]
    search_fields = ["requested_by", "reason"]
    search_help_text = "words in the reason, or who asked for it"
    actions = None
    nothing_title = "No replays yet"
    nothing_why = (
        "A replay delivers logged events again, for example after a handler was mended. Choose "
        "events in the event log and press “Replay these…”: a page then says what would happen."
    )

    class Media:
        css = {"all": ["events/log.css"]}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_ordering(self, request: HttpRequest) -> list[str]:
        return ["-id"]

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(self.control)
        name = "events_replay_control"
        return [path("<int:pk>/control/<str:verb>/", act, name=name), *super().get_urls()]

    @display(description="Events")
    def what(self, replay: Replay) -> str:
        return f"{replay.pk}: {say_filter(replay.filter)}"

    @display(description="State", label=COLOURS)
    def stands(self, replay: Replay) -> str:
        return replay.state

    @display(description="Handed over")
    def progress(self, replay: Replay) -> str:
        return f"{replay.replayed:,} of {replay.total:,}"

    @display(description="Started")
    def started(self, replay: Replay) -> str:
        return moment(replay.created_at)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Replays", **(extra_context or {})})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Preview a replay of the events that a filter chooses (GET), or start it (POST)."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        asked, wish = read_asked(given.dict()), Wish(given)
        errors = [f"{name}: {detail}" for name, detail in asked.errors.items()]
        preview = None
        if asked.chosen is not None:
            preview = preview_replay(
                asked.chosen,
                handler_names=None,
                include_external=wish.include_external,
                cutoff=wish.cutoff,
            )
            if request.method == "POST" and not wish.is_preview:
                errors = wish.find_errors(preview)
                if not errors:
                    return self._start(request, asked.chosen, wish, preview)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Replay events",
            "asked": asked,
            "wish": wish,
            "sentence": say_filter(asked.values),
            "errors": errors,
            "preview": preview,
            "handlers": wish.rows(preview) if preview else [],
        }
        return TemplateResponse(request, "events/replay_new.html", context)

    def _start(
        self, request: HttpRequest, chosen: EventFilter, wish: Wish, preview: Preview
    ) -> HttpResponse:
        replay = start_replay(
            chosen,
            handler_names=wish.handlers_of(preview),
            include_external=wish.include_external,
            rate=wish.rate,
            requested_by=request.user.get_username(),
            reason=wish.reason,
            now=timezone.now(),
            cutoff=wish.cutoff,
            preview=wish.token,
        )
        return HttpResponseRedirect(reverse("admin:events_replay_change", args=[replay.pk]))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show how far a replay has come; its progress keeps itself up to date."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        key = read_whole(object_id)
        replay = None if key is None else Replay.objects.filter(pk=key).first()
        if replay is None:
            raise Http404("This tenant has no such replay.")
        may_act = self.has_change_permission(request)
        moves = [(verb, _BUTTONS[verb]) for verb in get_moves(replay)] if may_act else []
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Replay {replay.pk}",
            "replay": replay,
            "colour": COLOURS[replay.state],
            "sentence": say_filter(replay.filter),
            "log_query": read_asked(replay.filter).query,
            "failed_query": read_asked({**replay.filter, "state": "failed"}).query,
            "progress": get_progress(replay, now=timezone.now()),
            "moves": moves,
            "notes": list(replay.notes.all()),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "events/replay.html", context)

    def control(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Pause, resume or cancel, then show the replay again."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        replay = Replay.objects.filter(pk=pk).first()
        if replay is None or verb not in VERBS or request.method != "POST":
            raise Http404("There is nothing to do at this address.")
        reason = request.POST.get("reason", "").strip()
        try:
            control_replay(
                replay, verb, actor=request.user.get_username(), reason=reason, now=timezone.now()
            )
        except NotPossible as error:
            messages.warning(request, str(error))
        return HttpResponseRedirect(reverse("admin:events_replay_change", args=[pk]))
