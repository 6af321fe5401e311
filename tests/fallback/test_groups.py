"""Causes: what a manager reads about them, and that a flood costs no more than a drop."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.fallback import groups
from apps.fallback.filters import UNASSIGNED, DeadLetterFilter
from apps.fallback.groups import get_groups, get_handlers, get_trends
from apps.fallback.models import DeadLetter
from apps.fallback.operations import discard
from apps.fallback.queries import count_alike
from apps.tenants.entering import TenantRef, entering

Die = Callable[..., list[DeadLetter]]
NOW = datetime(2027, 1, 2, 12, tzinfo=UTC)


def make(
    fingerprint: str, *, hours_ago: float, subject: str = "1", **changed: object
) -> DeadLetter:
    """Store a dead letter as it would be after a death; only what grouping reads matters."""
    died_at = NOW - timedelta(hours=hours_ago)
    usual: dict[str, object] = {
        "delivery_id": uuid4().int % 2**60,
        "event_uid": uuid4(), "event_type": "booking.created", "subject": subject,
        "handler": "bookings.record_booking", "category": "bookings", "reason": "permanent",
        "error_class": "UnknownUnit", "message": "there is no unit 'x'", "attempts": 1,
        "failures": 1, "crashes": 0, "accepted_at": died_at,
    }  # fmt: skip
    return DeadLetter.objects.create(
        fingerprint=fingerprint, died_at=died_at, **{**usual, **changed}
    )


def test_a_cause_says_how_many_since_when_what_it_touched_and_how_it_goes(
    acme: TenantRef, harbor: TenantRef
) -> None:
    with entering(harbor):
        make("aa", hours_ago=1)
    with entering(acme):
        make("aa", hours_ago=30, subject="1", units=["101", "102"])
        make("aa", hours_ago=2.5, subject="1", units=["101"])
        newest = make("aa", hours_ago=0.5, subject="2")
        make("bb", hours_ago=3, handler="sync.send_webhook", category="sync", reason="exhausted")
        found = get_groups(DeadLetterFilter(), now=NOW).found
    assert [(g.fingerprint, g.count, g.units, g.touched, g.noun) for g in found] == [
        ("aa", 3, 2, 2, "booking"),
        ("bb", 1, 0, 1, "booking"),
    ]
    first = found[0]
    assert (first.newest.pk, first.sentence) == (
        newest.pk,
        "Could not record a booking: there is no unit 'x'",
    )
    assert (first.first_died_at, first.last_died_at) == (
        NOW - timedelta(hours=30),
        NOW - timedelta(hours=0.5),
    )
    assert first.trend == [0] * 21 + [1, 0, 1]
    assert found[1].sentence == "Could not send webhook for a booking: there is no unit 'x'"


@pytest.mark.parametrize(
    ("chosen", "counts"),
    [
        ({}, {"aa": 2, "bb": 1}),
        ({"handler": "sync.send_webhook"}, {"bb": 1}),
        ({"reason": "permanent"}, {"aa": 2}),
        ({"category": "devices"}, {}),
        ({"fingerprint": "bb"}, {"bb": 1}),
        ({"search": "booking.created 2"}, {"aa": 1}),
        ({"since": NOW - timedelta(hours=2)}, {"aa": 1}),
        ({"state": "discarded"}, {"cc": 1}),
        ({"state": "all"}, {"aa": 2, "bb": 1, "cc": 1}),
        ({"assignee": UNASSIGNED}, {"aa": 1, "bb": 1}),
        ({"assignee": "bob"}, {"aa": 1}),
    ],
)
def test_causes_are_filtered(
    acme: TenantRef, chosen: dict[str, str], counts: dict[str, int]
) -> None:
    with entering(acme):
        bob = get_user_model().objects.create_user("bob")
        make("aa", hours_ago=3, subject="1", assignee=bob)
        make("aa", hours_ago=1, subject="2")
        make("bb", hours_ago=3, handler="sync.send_webhook", category="sync", reason="exhausted")
        make("cc", hours_ago=3, state="discarded")
        found = get_groups(DeadLetterFilter(**chosen), now=NOW).found  # type: ignore[arg-type]
    assert {group.fingerprint: group.count for group in found} == counts


def test_counting_stops(acme: TenantRef, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_COUNTED", 2)
    monkeypatch.setattr(groups, "MOST_CAUSES", 2)
    with entering(acme):
        for fingerprint in ("aa", "aa", "aa", "bb", "cc"):
            make(fingerprint, hours_ago=1)
        found = get_groups(DeadLetterFilter(), now=NOW)
    assert [(g.count, g.is_capped) for g in found.found] == [(2, True), (1, False)]
    assert found.has_more


def test_the_trend_remembers_what_is_decided(acme: TenantRef, die: Die) -> None:
    letters = die(acme, "1", "2")
    with entering(acme):
        now = letters[-1].died_at + timedelta(minutes=1)
        discard([letters[0]], actor="ann", note="a test", now=now)
        trends = get_trends([letters[0].fingerprint], now=now)
        assert trends[letters[0].fingerprint] == [0] * 23 + [2]
        assert count_alike(letters[1], limit=10) == 0
        assert get_handlers() == ["bookings.record_booking"]


@contextmanager
def flood(tenant: TenantRef) -> Iterator[None]:
    """Fill a tenant with 40,000 dead letters of ten causes, half of them open, analysed."""
    sql = """INSERT INTO fallback_deadletter (id, delivery_id, event_uid, event_type, subject,
        handler, target, category, priority, reason, error_class, message, traceback, fingerprint,
        attempts, failures, crashes, deaths, accepted_at, died_at, state, decided_by, note)
        SELECT gen_random_uuid(), n, gen_random_uuid(), 'booking.created', n::text,
        'bookings.record_booking', '', 'bookings', 0, 'permanent', 'E', 'there is none', '',
        'cause' || n %% 10, 1, 1, 0, 1, %(now)s, %(now)s - n * interval '1 second',
        CASE WHEN n %% 20 < 10 THEN 'open' ELSE 'resolved' END, '', ''
        FROM generate_series(1, 40000) AS n"""
    with entering(tenant):
        with connection.cursor() as cursor:
            cursor.execute(sql, {"now": NOW})
            cursor.execute("VACUUM ANALYZE fallback_deadletter")
        yield


def scans(statement: str) -> set[str]:
    """Name what PostgreSQL would read for a statement: the index, or "a whole table"."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        found = cursor.fetchone()[0]
    plan = json.loads(found) if isinstance(found, str) else found
    names: set[str] = set()

    def walk(node: dict[str, object]) -> None:
        if node["Node Type"] == "Seq Scan" and node.get("Relation Name") == "fallback_deadletter":
            names.add("a whole table")
        if "Index Name" in node:
            names.add(str(node["Index Name"]))
        for child in node.get("Plans", []):  # type: ignore[attr-defined]
            walk(child)

    walk(plan[0]["Plan"])
    return names


def test_a_flood_of_dead_letters_is_shown_by_indexes(acme: TenantRef) -> None:
    with flood(acme), CaptureQueriesContext(connection) as captured:
        found = get_groups(DeadLetterFilter(), now=NOW).found
        assert not any(group.is_capped for group in found)
        assert [group.count for group in found] == [2000] * 10
        statements = [q["sql"] for q in captured.captured_queries if "deadletter" in q["sql"]]
        used = [scans(statement) for statement in statements]
    assert len(used) == 4
    assert used[0] == {"deadletter_group"}
    assert "deadletter_group" in used[2]
    assert used[3] == {"deadletter_trend"}
    assert not any("a whole table" in names for names in used)


@pytest.mark.parametrize(
    ("chosen", "index"),
    [
        ({}, "deadletter_open"),
        ({"fingerprint": "cause1"}, "deadletter_group"),
        ({"assignee": "bob"}, "deadletter_assignee"),
        ({"event": str(uuid4())}, "deadletter_event"),
        ({"state": "all"}, "deadletter_all"),
    ],
)
def test_the_list_of_a_flood_is_read_by_an_index(
    acme: TenantRef, chosen: dict[str, str], index: str
) -> None:
    with flood(acme):
        get_user_model().objects.create_user("bob")
        wanted = DeadLetterFilter(**chosen)  # type: ignore[arg-type]
        page = wanted.apply(DeadLetter.objects.all()).order_by("-died_at", "id")[:50]
        with CaptureQueriesContext(connection) as captured:
            list(page)
        used = scans(captured.captured_queries[-1]["sql"])
    assert index in used
    assert "a whole table" not in used


def test_a_cause_leaves_out_what_differs_and_gives_examples(acme: TenantRef) -> None:
    with entering(acme):
        for name, hours in (("old-mill", 3), ("winery", 2), ("winery", 1)):
            make("aa", hours_ago=hours, message=f"there is no property '{name}': create 1")
        make("bb", hours_ago=3, message="there is no unit 'x'")
        found = get_groups(DeadLetterFilter(), now=NOW).found
    assert [(group.sentence, group.varying) for group in found] == [
        (
            "Could not record a booking: there is no property …: create 1",
            ["'winery'", "'old-mill'"],
        ),
        ("Could not record a booking: there is no unit 'x'", []),
    ]


def test_one_cause_is_found_among_more_than_are_looked_at(
    acme: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MOST_CAUSES", 2)
    with entering(acme):
        for fingerprint in ("aa", "bb", "cc", "dd"):
            make(fingerprint, hours_ago=1)
        found = get_groups(DeadLetterFilter(fingerprint="dd"), limit=1, now=NOW)
        assert [group.fingerprint for group in found.found] == ["dd"]
        assert get_groups(DeadLetterFilter(fingerprint="ee"), now=NOW).found == []


def test_what_a_filter_leaves_is_read_once_and_only_what_is_shown_is_loaded(
    acme: TenantRef,
) -> None:
    with entering(acme):
        for hours_ago, fingerprint in enumerate(["aa", "bb", "bb", "cc", "aa", "bb"]):
            make(fingerprint, hours_ago=hours_ago)
        make("dd", hours_ago=1, event_type="custom.other")
        with CaptureQueriesContext(connection) as asked:
            groups = get_groups(DeadLetterFilter(type="booking.*"), limit=2, now=NOW)
    assert [(g.fingerprint, g.count) for g in groups.found] == [("bb", 3), ("aa", 2)]
    assert [g.newest.died_at for g in groups.found] == [NOW - timedelta(hours=1), NOW]
    assert groups.has_more
    assert len(asked) == 4
    loaded = asked[1]["sql"].partition(" IN (")[2].partition(")")[0]
    assert len(loaded.split(", ")) == 2
