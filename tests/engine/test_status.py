"""`dispatch_status`: what an operator sees in a terminal."""

import json
from io import StringIO

from django.core.management import call_command
from django.utils import timezone

from apps.dispatch.caps import set_cap
from apps.engine import router, sweeping
from apps.engine.management.commands.dispatch_status import draw_table
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.engine.handlers import handler


def test_it_shows_what_waits_what_is_paused_and_what_is_stuck(acme: TenantRef) -> None:
    with handler():
        with entering(acme):
            publish_many([Envelope(id="1", source="t", type="custom.a", data={})])
        router.route()
        set_cap(by="ada", now=timezone.now(), category="sync", reason="network")
        sweeping.sweep()
        said, told = StringIO(), StringIO()
        call_command("dispatch_status", stdout=said)
        call_command("dispatch_status", json=True, stdout=told)
    lines = said.getvalue().splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("automation")] == [
        ["automation", "1"]
    ]
    assert "||  category sync: paused (by ada)" in lines
    assert "ok  sweep: goes round" in lines
    shown = json.loads(told.getvalue())
    assert shown["categories"]["automation"]["backlog"]["ready"] == 1
    assert shown["paused"][0]["category"] == "sync"


def test_it_is_shown_again_and_again(database: None) -> None:
    said = StringIO()
    call_command("dispatch_status", watch=0.2, times=2, stdout=said)
    assert said.getvalue().count("nothing has come in yet") == 2


def test_the_table_fits_80_columns_whatever_the_numbers() -> None:
    waiting = dict.fromkeys(
        ("ready", "running", "scheduled", "waiting", "paused", "held"), 12345678
    )
    told = {
        "categories": {
            "housekeeping": {
                "backlog": {**waiting, "oldest_wait_seconds": 123456.0},
                "last_hour": {"done": 99999999, "retried": 12345, "dead": 9999},
            }
        },
        "paused": [],
        "parts": {},
    }
    head, row = draw_table(told).splitlines()[:2]
    assert (len(head), len(row)) == (80, 80)
    assert row.split()[1:] == [*["12M"] * 6, "1.43d", "99M", "12k", "9999"]
