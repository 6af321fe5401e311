"""`manage.py replay_events`: logged events delivered again, effect-safe unless asked otherwise."""

import json
import sys
import threading
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.events.filters import STATES, EventFilter
from apps.events.models import Replay, ReplayState
from apps.events.moments import read_moment
from apps.events.replaying import BadReplay, preview_replay, start_replay, step_replay
from apps.tenants.arguments import said
from apps.tenants.entering import UnknownTenant, entering, get_tenant
from pms_events.patterns import is_pattern


class Command(BaseCommand):
    help = (
        "Deliver logged events again, in the bulk lane. External handlers stay silent unless "
        "--include-external. Example: manage.py replay_events --tenant acme --type 'booking.*' "
        "--since 2027-06-01T00:00:00Z --handler reporting.count_stay --dry-run"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="the tenant's schema")
        parser.add_argument("--uid", type=UUID, help="one event alone")
        parser.add_argument("--type", type=said, help="an event type or a pattern: booking.*")
        parser.add_argument("--subject", type=said, help="what the events are about")
        parser.add_argument("--text", type=said, help="anywhere in the payload")
        parser.add_argument("--since", help="recorded at or after, with offset")
        parser.add_argument("--until", help="recorded before, with offset")
        parser.add_argument("--state", choices=STATES, help="how the events stand")
        parser.add_argument(
            "--handler", type=said, action="append", help="only this handler; may be repeated"
        )
        parser.add_argument("--include-external", action="store_true", help="send outside, too")
        parser.add_argument("--rate", type=int, help="events a second at most")
        parser.add_argument("--reason", default="", help="why, for the record")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = _read_filter(options)
        try:
            with entering(get_tenant(options["tenant"])):
                if options["dry_run"]:
                    self._preview(chosen, options)
                else:
                    self._replay(chosen, options)
        except (BadReplay, UnknownTenant) as error:
            raise CommandError(str(error)) from error

    def _preview(self, chosen: EventFilter, options: dict[str, Any]) -> None:
        preview = preview_replay(
            chosen, handler_names=options["handler"], include_external=options["include_external"]
        )
        if options["json"]:
            self.stdout.write(json.dumps(asdict(preview), default=str))
            return
        self.stdout.write(f"{preview.total} events would be replayed.")
        for title, counts in (
            ("by type", preview.by_type),
            ("deliveries by handler", preview.by_handler),
            ("suppressed (--include-external sends to the outside, too)", preview.suppressed),
        ):
            self.stdout.write(f"  {title}:" if counts else f"  {title}: none")
            for name, count in counts.items():
                why = preview.reasons.get(name)
                self.stdout.write(f"    {count:>8}  {name}" + (f": {why}" if why else ""))

    def _replay(self, chosen: EventFilter, options: dict[str, Any]) -> None:
        replay = start_replay(
            chosen,
            handler_names=options["handler"],
            include_external=options["include_external"],
            rate=options["rate"],
            requested_by="command",
            reason=options["reason"],
            now=timezone.now(),
        )
        pause = threading.Event()
        while replay.state == ReplayState.RUNNING:
            stepped = step_replay(replay.pk, now=timezone.now())
            replay = stepped or Replay.objects.get(pk=replay.pk)
            self._show_progress(replay, is_quiet=options["json"])
            if replay.rate and replay.state == ReplayState.RUNNING:
                pause.wait(min(replay.rate, 500) / replay.rate)
            elif stepped is None:
                pause.wait(0.2)  # a worker is at the same step
        told = {"replay": replay.pk, "state": replay.state, "replayed": replay.replayed}
        if options["json"]:
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(
                f"Replay {replay.pk} {replay.state}: {replay.replayed} events handed to the workers."
            )

    def _show_progress(self, replay: Replay, *, is_quiet: bool) -> None:
        if is_quiet or not sys.stderr.isatty():
            return
        share = replay.replayed / replay.total if replay.total else 1.0
        bar = "#" * int(30 * min(share, 1.0))
        end = "" if replay.state == ReplayState.RUNNING else "\n"
        self.stderr.write(f"\r[{bar:<30}] {replay.replayed}/{replay.total}", ending=end)


def _read_filter(options: dict[str, Any]) -> EventFilter:
    """Read which events. Raises: CommandError."""
    if options["type"] and not is_pattern(options["type"]):
        raise CommandError(f"--type: '{options['type']}' is no event type or pattern")
    return EventFilter(
        uid=options["uid"],
        type=options["type"] or "",
        subject=options["subject"] or "",
        state=options["state"] or "",
        text=options["text"] or "",
        since=read_moment("--since", options["since"]),
        until=read_moment("--until", options["until"]),
    )
