"""`manage.py dispatch_status`: does work flow, in a terminal."""

import json
import time
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.dispatch.models import Cap
from apps.dispatch.pausing import describe_cap, show_cap
from apps.dispatch.progress import get_progress
from apps.dispatch.queries import get_backlog
from apps.engine.health import get_health

_STATES = ("ready", "running", "scheduled", "waiting", "paused", "held")
_ENDS = ("done", "retried", "dead")
_TO_TOP = "\x1b[H\x1b[J"


class Command(BaseCommand):
    help = (
        "Show backlog and progress per category, what is paused, and what is stuck. "
        "Examples: manage.py dispatch_status --watch; manage.py dispatch_status --json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer as JSON")
        parser.add_argument(
            "--watch", type=float, nargs="?", const=2.0, metavar="SECONDS",
            help="show it again every so many seconds (2) until Ctrl-C",
        )  # fmt: skip
        parser.add_argument(
            "--times", type=int, default=0, help="with --watch: end after so many (0: never)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(_look()))
            return
        if not options["watch"]:
            self.stdout.write(_table(_look()))
            return
        if options["watch"] < 0.2:
            raise CommandError("--watch needs at least 0.2 seconds")
        self._watch(options["watch"], options["times"])

    def _watch(self, seconds: float, times: int) -> None:
        shown = 0
        try:
            while True:
                now = timezone.localtime().strftime("%H:%M:%S")
                self.stdout.write(f"{_TO_TOP}{now}  (Ctrl-C ends)\n\n{_table(_look())}")
                shown += 1
                if shown == times:
                    return
                time.sleep(seconds)
        except KeyboardInterrupt:
            self.stdout.write("")


def _look() -> dict[str, Any]:
    now = timezone.now()
    backlog = get_backlog(None, now=now)
    progress = get_progress(now=now, window=timedelta(hours=1))
    return {
        "categories": {
            name: {"backlog": backlog.get(name, {}), "last_hour": progress.get(name, {})}
            for name in sorted({*backlog, *progress})
        },
        "paused": [show_cap(cap) | {"text": describe_cap(cap)} for cap in _caps()],
        "parts": {part.name: {"ok": part.is_ok, "reason": part.reason} for part in get_health()},
    }


def _caps() -> list[Cap]:
    return list(Cap.objects.select_related("tenant").order_by("id"))


def _table(told: dict[str, Any]) -> str:
    lines = [
        f"{'category':<14}"
        + "".join(f"{state:>10}" for state in _STATES)
        + f"{'oldest':>9}{'done/h':>9}{'retried':>9}{'dead':>7}"
    ]
    for name, entry in told["categories"].items():
        backlog, hour = entry["backlog"], entry["last_hour"]
        lines.append(
            f"{name:<14}"
            + "".join(f"{backlog.get(state, 0):>10}" for state in _STATES)
            + f"{backlog.get('oldest_wait_seconds', 0):>8.0f}s"
            + f"{hour.get('done', 0):>9}{hour.get('retried', 0):>9}{hour.get('dead', 0):>7}"
        )
    if not told["categories"]:
        lines.append("nothing has come in yet")
    lines.append("")
    lines += [f"||  {cap['text']} (by {cap['created_by']})" for cap in told["paused"]]
    lines += [
        f"{'ok ' if part['ok'] else 'NOT'} {name}: {part['reason']}"
        for name, part in told["parts"].items()
    ]
    return "\n".join(lines)
