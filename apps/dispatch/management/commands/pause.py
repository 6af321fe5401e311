"""`manage.py pause`: stop running a category, tenant, handler or endpoint, without losing anything."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.dispatch.caps import BadScope, set_cap
from apps.dispatch.models import Cap
from apps.dispatch.pausing import add_scope, describe_cap, operator, read_scope, show_cap


class Command(BaseCommand):
    help = (
        "Pause deliveries, or with --at-most limit how many run at once; at once and without loss. "
        "Events are still taken in. Example: manage.py pause --category messaging --tenant acme "
        "--reason 'provider is down'"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_scope(parser)
        parser.add_argument("--at-most", type=int, default=0, help="limit instead of pausing")
        parser.add_argument("--reason", default="", help="shown to everybody who wonders")
        parser.add_argument("--list", action="store_true", help="only list what is paused")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["list"]:
            try:
                set_cap(
                    by=operator(),
                    now=timezone.now(),
                    at_most=options["at_most"],
                    reason=options["reason"],
                    **read_scope(options),
                )
            except BadScope as error:
                raise CommandError(str(error)) from error
        caps = list(Cap.objects.select_related("tenant").order_by("id"))
        if options["json"]:
            self.stdout.write(json.dumps([show_cap(cap) for cap in caps]))
            return
        for cap in caps:
            why = f" ({cap.reason})" if cap.reason else ""
            self.stdout.write(f"{describe_cap(cap)}{why}, by {cap.created_by}")
        if not caps:
            self.stdout.write("Nothing is paused or limited.")
