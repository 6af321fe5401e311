"""`manage.py create_tenant`: a new customer, ready to be used."""

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.tenants.provisioning import TenantExists, create_tenant


class Command(BaseCommand):
    help = (
        "Make a tenant with its schema and host. "
        "Example: manage.py create_tenant acme --name 'Acme Stays' --host acme.pms.example"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("schema", help="its schema: lower-case letters, digits and _")
        parser.add_argument("--name", help="what people call it (default: the schema)")
        parser.add_argument("--host", help="its host name (default: <schema>.localhost, - for _)")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        schema = options["schema"]
        # A host name has no underscore in it.
        host = (options["host"] or f"{schema.replace('_', '-')}.localhost").lower()
        try:
            tenant = create_tenant(schema, name=options["name"] or schema, host=host)
        except TenantExists as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        if options["json"]:
            told = {"id": tenant.pk, "schema": schema, "name": tenant.name, "host": host}
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(f"Tenant {schema} is ready at {host}.")
