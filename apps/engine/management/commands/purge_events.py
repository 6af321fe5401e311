"""`manage.py purge_events`: old events leave the log, into an archive first."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.engine.tasks import purge
from apps.events.moments import read_moment
from apps.events.purging import get_purgeable, purge_events
from apps.tenants.entering import UnknownTenant, entering, get_tenant


class Command(BaseCommand):
    help = (
        "Archive (gzipped JSON lines) and delete events that are over, with their deliveries. What "
        "is unfinished or needs a person stays. Example: manage.py purge_events --tenant acme "
        "--before 2027-01-01T00:00:00Z --archive /srv/archive"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="the tenant's schema")
        parser.add_argument("--before", required=True, help="recorded before, with offset")
        parser.add_argument("--archive", required=True, help="the folder for the archive")
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument(
            "--background", action="store_true", help="let the router's worker do it"
        )
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        before = read_moment("--before", options["before"])
        assert before is not None
        folder = Path(options["archive"]).resolve()
        try:
            tenant = get_tenant(options["tenant"])
            if options["background"]:
                purge.apply_async(
                    [tenant.id, before.isoformat(), str(folder)], queue="events.chores"
                )
                return self._tell({"started": True}, "Started; see the results of tasks.", options)
            with entering(tenant):
                if options["dry_run"]:
                    count = get_purgeable(before).count()
                    return self._tell({"purgeable": count}, f"{count} events.", options)
                count, path = purge_events(
                    before,
                    archive=folder,
                    now=timezone.now(),
                    progress=_draw_progress(get_purgeable(before).count()),
                )
        except UnknownTenant as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"the archive cannot be written: {error}") from error
        told = {"purged": count, "archive": str(path) if count else None}
        return self._tell(
            told, f"{count} events purged" + (f" into {path}" if count else ""), options
        )

    def _tell(self, told: dict[str, Any], text: str, options: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(told) if options["json"] else text)


def _draw_progress(total: int) -> Callable[[int], None]:
    """A progress bar on a terminal, nothing in a pipe."""

    def show(done: int) -> None:
        if sys.stderr.isatty():
            filled = 30 * min(done, total) // max(total, 1)
            end = "\n" if done >= total else ""
            sys.stderr.write(f"\r[{'#' * filled:<30}] {done}/{total}{end}")

    return show
