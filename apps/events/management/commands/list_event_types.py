"""`manage.py list_event_types`: the catalogue in a terminal."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from pms_events.event_types import catalogue
from pms_events.handlers import handlers


class Command(BaseCommand):
    help = "List every event type with its category and handlers. Example: manage.py list_event_types --json"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [
            {
                "type": entry.name,
                "category": entry.category.value,
                "priority": entry.priority.name,
                "stream": entry.stream,
                "handlers": [h.name for h in handlers.of_type(entry.name)],
            }
            for entry in catalogue
        ]
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            self.stdout.write(
                f"{row['type']:<28}{row['category']:<14}{row['priority']:<4}"
                f"{', '.join(row['handlers']) or 'no handler'}"
            )
