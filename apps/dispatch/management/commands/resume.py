"""`manage.py resume`: end pauses and limits; what they kept back is ready again."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.dispatch.caps import remove_cap
from apps.dispatch.models import Cap
from apps.dispatch.pausing import add_scope, describe_cap, read_scope, show_cap


class Command(BaseCommand):
    help = (
        "End the pause or limit of exactly this scope, or all with --all. "
        "Example: manage.py resume --category messaging --tenant acme"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_scope(parser)
        parser.add_argument("--all", action="store_true", help="end every pause and limit")

    def handle(self, *args: Any, **options: Any) -> None:
        caps = Cap.objects.select_related("tenant").order_by("id")
        if not options["all"]:
            caps = caps.filter(**read_scope(options))
        found = list(caps)
        if not found and not options["all"]:
            kept = ", ".join(f"[{describe_cap(cap)}]" for cap in Cap.objects.order_by("id"))
            raise CommandError(f"nothing of this scope is paused; there is: {kept or 'nothing'}")
        for cap in found:
            remove_cap(cap)
            if not options["json"]:
                self.stdout.write(f"resumed {describe_cap(cap)}")
        if not found and not options["json"]:
            self.stdout.write("Nothing was paused or limited.")
        if options["json"]:
            self.stdout.write(json.dumps([show_cap(cap) for cap in found]))
