"""`manage.py dispatch_status`: does work flow, in a terminal."""

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from apps.dispatch.queries import get_backlog, get_progress
from apps.engine.health import get_health


class Command(BaseCommand):
    help = "Show backlog and progress per category, and what is stuck. Example: manage.py dispatch_status --json"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        backlog = get_backlog(None, now=now)
        progress = get_progress(now=now, window=timedelta(hours=1))
        parts = get_health(now=now)
        if options["json"]:
            told = {
                "categories": {
                    name: {"backlog": backlog.get(name, {}), "last_hour": progress.get(name, {})}
                    for name in sorted({*backlog, *progress})
                },
                "parts": {part.name: {"ok": part.is_ok, "reason": part.reason} for part in parts},
            }
            self.stdout.write(json.dumps(told))
            return
        columns = ("ready", "running", "scheduled", "waiting")
        self.stdout.write(
            f"{'category':<14}" + "".join(f"{c:>10}" for c in columns) + f"{'oldest':>9}"
            f"{'done/h':>9}{'retried':>9}{'dead':>7}"
        )
        for name in sorted({*backlog, *progress}):
            entry, hour = backlog.get(name, {}), progress.get(name, {})
            self.stdout.write(
                f"{name:<14}"
                + "".join(f"{entry.get(c, 0):>10}" for c in columns)
                + f"{entry.get('oldest_wait_seconds', 0):>8.0f}s"
                + f"{hour.get('done', 0):>9}{hour.get('retried', 0):>9}{hour.get('dead', 0):>7}"
            )
        for part in parts:
            self.stdout.write(f"{'ok ' if part.is_ok else 'NOT'} {part.name}: {part.reason}")
