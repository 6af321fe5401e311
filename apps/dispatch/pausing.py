"""What `pause` and `resume` share: the scope as their options name it."""

import getpass
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.dispatch.models import Cap
from apps.tenants.arguments import said
from apps.tenants.entering import UnknownTenant, get_tenant


def add_scope(parser: CommandParser) -> None:
    """Add the options that name a scope; together they narrow it."""
    parser.add_argument("--category", type=said, help="such as messaging")
    parser.add_argument("--tenant", type=said, help="its schema, such as acme")
    parser.add_argument("--handler", type=said, help="such as sync.send_webhook")
    parser.add_argument("--target", type=said, help="an endpoint's id; with --handler")
    parser.add_argument("--json", action="store_true", help="answer as JSON")


def read_scope(options: dict[str, Any]) -> dict[str, Any]:
    """Turn the options into a scope. Raises: CommandError for an unknown tenant."""
    try:
        tenant_id = get_tenant(options["tenant"]).id if options["tenant"] else None
    except UnknownTenant as error:
        raise CommandError(str(error)) from error
    names = ("category", "handler", "target")
    return {"tenant_id": tenant_id, **{name: options[name] or "" for name in names}}


def show_cap(cap: Cap) -> dict[str, Any]:
    """Tell a pause or limit as JSON."""
    return {
        "id": cap.pk,
        "category": cap.category,
        "tenant": cap.tenant.schema_name if cap.tenant else "",
        "handler": cap.handler,
        "target": cap.target,
        "at_most": cap.at_most,
        "reason": cap.reason,
        "created_by": cap.created_by,
        "created_at": cap.created_at.isoformat(),
    }


def describe_cap(cap: Cap) -> str:
    """Tell a pause or limit in a line."""
    parts = [
        f"category {cap.category}" if cap.category else "",
        f"tenant {cap.tenant.schema_name}" if cap.tenant else "",
        f"handler {cap.handler}" if cap.handler else "",
        f"target {cap.target}" if cap.target else "",
    ]
    what = ", ".join(part for part in parts if part)
    return f"{what}: " + (f"at most {cap.at_most} at once" if cap.at_most else "paused")


def operator() -> str:
    """Name who runs the command."""
    return f"{getpass.getuser()} (command)"
