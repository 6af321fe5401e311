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
from apps.web.templatetags.times import span

_STATES = ("ready", "running", "scheduled", "waiting", "paused", "held")
_ENDS = ("done", "retried", "dead")
_COLUMNS = (
    ("ready", 6), ("running", 8), ("sched", 6), ("waiting", 8), ("paused", 7), ("held", 6),
    ("oldest", 7), ("done/h", 7), ("retry", 6), ("dead", 5),
)  # fmt: skip
_UNITS = ((10_000, 1, ""), (10_000_000, 1_000, "k"), (10_000_000_000, 1_000_000, "M"))
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
            self.stdout.write(draw_table(_look()))
            return
        if options["watch"] < 0.2:
            raise CommandError("--watch needs at least 0.2 seconds")
        self._watch(options["watch"], options["times"])

    def _watch(self, seconds: float, times: int) -> None:
        shown = 0
        try:
            while True:
                now = timezone.localtime().strftime("%H:%M:%S")
                self.stdout.write(f"{_TO_TOP}{now}  (Ctrl-C ends)\n\n{draw_table(_look())}")
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


def draw_table(told: dict[str, Any]) -> str:
    """Draw what `--json` tells, 80 characters wide."""
    lines = [f"{'category':<14}" + "".join(f"{head:>{width}}" for head, width in _COLUMNS)]
    for name, entry in told["categories"].items():
        backlog, hour = entry["backlog"], entry["last_hour"]
        cells = [
            *(_short(backlog.get(state, 0)) for state in _STATES),
            span(timedelta(seconds=round(backlog.get("oldest_wait_seconds", 0)))).replace(" ", ""),
            *(_short(hour.get(end, 0)) for end in _ENDS),
        ]
        widths = [width for _, width in _COLUMNS]
        lines.append(
            f"{name:<14}"
            + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
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


def _short(number: int) -> str:
    """Write a number in five characters at most: 9999, 10k, 9999k, 10M."""
    for limit, size, unit in _UNITS:
        if number < limit:
            return f"{number // size}{unit}"
    return f"{number // 1_000_000_000}G"
