"""The fallback queue from a shell: groups, list, show, retry, discard; a bar for what takes long."""

import argparse
import getpass
import json
import shutil
import sys
import textwrap
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from apps.fallback.bulk import decide, step_bulk_action
from apps.fallback.filters import STATES, DeadLetterFilter
from apps.fallback.groups import get_groups
from apps.fallback.models import BulkAction, BulkState, DeadLetter
from apps.fallback.operations import AlreadyDecided, NoteMissing, discard, retry
from apps.fallback.orders import Order
from apps.fallback.presenting import GroupSerializer, show_dead_letter, show_dead_letters
from apps.fallback.selecting import Selection
from apps.tenants.arguments import said
from apps.tenants.entering import UnknownTenant, entering, get_tenant
from apps.web.numbers import read_whole
from pms_events.patterns import is_pattern
from pms_events.verdicts import Reason

_EXAMPLES = """examples:
  manage.py fallback groups --tenant acme
  manage.py fallback list --tenant acme --reason permanent
  manage.py fallback show 0190a3c4-… --tenant acme
  manage.py fallback retry 0190a3c4-… --tenant acme --note "property created"
  manage.py fallback retry --tenant acme --all --group 4f1c09d2ab34e871
  manage.py fallback retry --tenant acme --all --handler bookings.record_booking --type 'booking.*'
  manage.py fallback discard --tenant acme --all --type custom.test --note "test data" --json

A retry or discard of more than 50 is a bulk action: killed half-way, the workers finish it.
"""
_TOLD = (
    "id",
    "state",
    "reason",
    "handler",
    "event_type",
    "subject",
    "attempt_count",
    "waiting_behind",
)
_BARS = "▁▂▃▄▅▆▇█"
_never = threading.Event()


class Command(BaseCommand):
    """Work on the dead letters of a tenant."""

    help = "Group, list, show, retry or discard the dead letters of a tenant."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs |= {"epilog": _EXAMPLES, "formatter_class": argparse.RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["groups", "list", "show", "retry", "discard"])
        parser.add_argument("ids", type=UUID, nargs="*", help="dead letters, by id")
        parser.add_argument("--tenant", required=True, help="its schema, such as acme")
        parser.add_argument("--id", type=UUID, action="append", help="the same, for scripts")
        parser.add_argument("--all", action="store_true", help="every open one of the filters")
        parser.add_argument("--state", choices=STATES, default="open", help="for list")
        parser.add_argument("--reason", choices=[r.value for r in Reason])
        parser.add_argument("--handler", type=said, help="such as bookings.record_booking")
        parser.add_argument("--type", type=said, help="an event type or pattern: booking.*")
        parser.add_argument("--group", type=said, help="a fingerprint that groups tells")
        parser.add_argument(
            "--search", type=said, help="words in the subject, error, type or handler"
        )
        parser.add_argument(
            "--limit", type=_limit, default=100, help="rows of list and groups (100)"
        )
        parser.add_argument("--note", default="", help="why; a discard needs one")
        parser.add_argument("--json", action="store_true", help="for scripts")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["type"] and not is_pattern(options["type"]):
            raise CommandError(f"'{options['type']}' is no event type or pattern: booking.*")
        try:
            tenant = get_tenant(options["tenant"])
        except UnknownTenant as error:
            raise CommandError(str(error)) from error
        options["id"] = [*options["ids"], *(options["id"] or [])]
        act: Callable[[dict[str, Any]], None] = {
            "groups": self._groups, "list": self._list, "show": self._show,
            "retry": self._decide, "discard": self._decide,
        }[options["action"]]  # fmt: skip
        with entering(tenant):
            act(options)

    def _groups(self, options: dict[str, Any]) -> None:
        groups = get_groups(_chosen(options), limit=options["limit"], now=timezone.now())
        if options["json"]:
            self._write_json(GroupSerializer(groups.found, many=True).data)
            return
        for group in groups.found:
            count = f"{group.count:,}{'+' if group.is_capped else ''}"
            self.stdout.write(f"{group.fingerprint}  {count:>7} open  {_draw(group.trend)} 24 h")
            self._say(group.sentence)
            if group.varying:
                self._say(f"such as {', '.join(group.varying[:3])}")
            self._say(
                f"{group.newest.handler}, {group.newest.reason}; first "
                f"{_ago(group.first_died_at)}, last {_ago(group.last_died_at)}"
            )
        self.stderr.write(f"{len(groups.found)} causes" if groups.found else "No causes match.")

    def _list(self, options: dict[str, Any]) -> None:
        found = _chosen(options, state=options["state"]).apply(
            DeadLetter.objects.select_related("assignee")
        )
        found = found.order_by("-died_at", "id")
        rows = show_dead_letters(list(found[: options["limit"]]))
        if options["json"]:
            self._write_json(rows)
            return
        for row in rows:
            self.stdout.write(f"{row['id']}  {row['state']:9}  {row['reason']}")
            self._say(row["sentence"])
        self.stderr.write(f"{len(rows)} dead letters" if rows else "No dead letters match.")

    def _show(self, options: dict[str, Any]) -> None:
        shown = [show_dead_letter(d) for d in _by_ids(options)]
        if options["json"]:
            self._write_json(shown)
            return
        for row in shown:
            self._say(row["sentence"], indent="")
            for name in _TOLD:
                self.stdout.write(f"  {name.replace('_', ' '):16} {row[name]}")
            self._say(row["retry_outlook"], indent="")
            self.stdout.write(json.dumps(row["data"], cls=DjangoJSONEncoder, indent=2))

    def _decide(self, options: dict[str, Any]) -> None:
        if bool(options["id"]) == options["all"]:
            raise CommandError("Say which: --id …, or --all with the filters you want.")
        try:
            answer = self._decide_many(options) if options["all"] else _decide_each(options)
        except (AlreadyDecided, NoteMissing) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self._write_json(answer)
        else:
            self.stdout.write(f"{options['action']}: {answer['changed']} of {answer['matched']}.")

    def _decide_many(self, options: dict[str, Any]) -> dict[str, Any]:
        now = timezone.now()
        order = Order(action=options["action"], actor=_actor(), note=options["note"])
        decided = decide(Selection(cutoff=now, filter=_chosen(options)), order, now=now)
        if decided.bulk is None:
            return {"matched": decided.matched, "changed": decided.changed}
        ended = _see_through(decided.bulk, progress=_progress(decided.bulk.total))
        return {"matched": ended.total, "changed": ended.done, "bulk_action": ended.pk}

    def _say(self, text: str, *, indent: str = "  ") -> None:
        """Write a sentence, wrapped to the terminal."""
        width = shutil.get_terminal_size().columns
        self.stdout.write(
            textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent)
        )

    def _write_json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, cls=DjangoJSONEncoder, indent=2))


def _limit(text: str) -> int:
    """Read how many rows. Raises: ArgumentTypeError unless it is a number from 1 on."""
    if not (limit := read_whole(text)):
        raise argparse.ArgumentTypeError(f"'{text}' is no number of rows: 1 or more")
    return limit


def _see_through(bulk: BulkAction, *, progress: Callable[[int], None]) -> BulkAction:
    """Take the steps of a bulk action, or watch the worker that is at it, until it ends."""
    while bulk.state == BulkState.RUNNING:
        if step_bulk_action(bulk.pk, now=timezone.now()) is None:
            _never.wait(0.2)
        bulk.refresh_from_db()
        progress(bulk.done)
    progress(bulk.total)
    return bulk


def _chosen(options: dict[str, Any], *, state: str = "open") -> DeadLetterFilter:
    names = ("reason", "handler", "type", "search")
    given: dict[str, Any] = {name: options[name] or "" for name in names}
    return DeadLetterFilter(state=state, fingerprint=options["group"] or "", **given)


def _by_ids(options: dict[str, Any]) -> list[DeadLetter]:
    ids = options["id"] or []
    if not ids:
        raise CommandError("Say which dead letter: --id …")
    found = DeadLetter.objects.in_bulk(ids)
    missing = [str(pk) for pk in ids if pk not in found]
    if missing:
        raise CommandError(
            f"Tenant {options['tenant']} has no dead letter {', '.join(missing)}: nothing was done."
        )
    return list(found.values())


def _decide_each(options: dict[str, Any]) -> dict[str, Any]:
    dead_letters = _by_ids(options)
    act = {"retry": retry, "discard": discard}[options["action"]]
    changed = act(dead_letters, actor=_actor(), note=options["note"], now=timezone.now())
    return {"matched": len(dead_letters), "changed": changed}


def _actor() -> str:
    return f"command {getpass.getuser()}"


def _ago(moment: datetime) -> str:
    return str(naturaltime(moment)).replace("\xa0", " ")


def _draw(trend: list[int]) -> str:
    most = max(trend)
    return "".join(_BARS[(len(_BARS) - 1) * count // most] if count else " " for count in trend)


def _progress(total: int) -> Callable[[int], None]:
    """A progress bar on a terminal, nothing in a pipe."""

    def show(done: int) -> None:
        if sys.stderr.isatty() and total:
            filled = 40 * done // total
            end = "\n" if done >= total else ""
            sys.stderr.write(f"\r[{'#' * filled}{'.' * (40 - filled)}] {done}/{total}{end}")

    return show
