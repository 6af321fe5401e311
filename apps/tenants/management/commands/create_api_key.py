"""`manage.py create_api_key`: a key for an integration of a tenant."""

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.tenants.keys import SCOPES, create_key
from apps.tenants.models import Tenant

MOST_DAYS = 36_500


class Command(BaseCommand):
    help = (
        "Make an API key for a tenant and print it, this once. "
        "Example: manage.py create_api_key --tenant acme --name channel --scopes events:write"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="the tenant's schema")
        parser.add_argument("--name", default="integration", help="what the key is for")
        parser.add_argument("--scopes", nargs="+", help=f"of {', '.join(SCOPES)} (default: all)")
        parser.add_argument("--expires-days", type=int, help="days until it ends (default: never)")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = (
            Tenant.objects.filter(schema_name=options["tenant"])
            .exclude(schema_name="public")
            .first()
        )
        if tenant is None:
            raise CommandError(f"there is no tenant '{options['tenant']}'")
        days = options["expires_days"]
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--expires-days: at least 1, at most {MOST_DAYS}")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        try:
            made = create_key(
                tenant, name=options["name"], scopes=options["scopes"], expires_at=expires_at
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            told = {"key": made.text, "prefix": made.key.prefix, "scopes": made.key.scopes}
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(made.text)
