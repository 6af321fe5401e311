"""A log of a million events: every page and filter goes by an index, whatever it finds."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.events.filters import STATES, EventFilter
from apps.events.log_pages import find_page
from apps.events.models import Event
from apps.events.replaying import start_replay, step_replay
from apps.events.story import tell
from apps.tenants.entering import TenantRef, entering
from tests.plans import assert_by_index, plans, read_whole

MILLION = 1_000_000
_BIG = {"events_event", "events_delivery", "events_attempt"}

# Uids as the program makes them: the time first. One event a second, the last one now.
_EVENTS = """
INSERT INTO events_event (uid, event_id, source, type, subject, category, priority, stream, time,
    time_was_given, data, extensions, body_hash, recorded_at, causation)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7000a000'
        || lpad(to_hex(n), 12, '0'))::uuid,
    'e' || n, CASE n WHEN 77 THEN 'rare' ELSE 'channel' END,
    CASE n %% 3 WHEN 0 THEN 'booking.created' WHEN 1 THEN 'booking.modified' ELSE 'custom.b' END,
    'subject ' || n %% 50000, 'bookings', 2, 'stream', at, true,
    jsonb_build_object('n', n), '{}', '', at, NULL
FROM generate_series(1, %(count)s) AS n,
    LATERAL (SELECT now() - make_interval(secs => %(count)s - n) AS at) AS times"""
_DELIVERIES = """
INSERT INTO events_delivery (id, event_uid, handler, target, category, state, attempts, failures,
    crashes, accepted_at, started_at, finished_at, note, replay_id)
SELECT substr(event_id, 2)::int, uid, 'test.handler', '', 'bookings',
    CASE event_id WHEN 'e5' THEN 'dead' WHEN 'e6' THEN 'discarded' ELSE 'done' END,
    1, 0, 0, recorded_at, recorded_at, recorded_at, '', NULL
FROM events_event"""
_ATTEMPTS = """
INSERT INTO events_attempt (delivery_id, event_uid, number, started_at, finished_at, verdict,
    error_class, message, traceback)
SELECT id, event_uid, 1, started_at, finished_at, 'retry', 'ConnectionError', 'away', ''
FROM events_delivery WHERE id %% 20 = 0"""


@pytest.fixture
def million(acme: TenantRef) -> Iterator[TenantRef]:
    """A tenant with a million events, one delivery each; gone with the test."""
    with entering(acme):
        with connection.cursor() as cursor:
            cursor.execute(_EVENTS, {"count": MILLION})
            cursor.execute(_DELIVERIES)
            cursor.execute(_ATTEMPTS, {})
            cursor.execute("ANALYZE events_event, events_delivery, events_attempt")
        yield acme
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE events_event, events_delivery, events_attempt")


def test_a_million_events_are_never_read_through(million: TenantRef, client: Client) -> None:
    now = timezone.now()
    last = {"since": now - timedelta(hours=2), "until": now - timedelta(hours=1)}
    filters = [
        EventFilter(),
        EventFilter(type="booking.created"),
        EventFilter(type="booking.*"),
        EventFilter(type="no.such_type"),
        EventFilter(type="no.*"),
        EventFilter(subject="subject 7"),
        EventFilter(subject="subject 7", type="custom.b"),
        EventFilter(subject="nobody"),
        EventFilter(source="channel"),
        EventFilter(source="rare"),
        EventFilter(source="nobody"),
        EventFilter(category="bookings"),
        EventFilter(category="sync"),
        EventFilter(text="no such text"),
        EventFilter(text="no such text", type="custom.b"),
        EventFilter(text='"n": 5'),
        *[EventFilter(state=state) for state in STATES],
        *[EventFilter(state=state, type="custom.b", text="nothing") for state in STATES],
        EventFilter(**last),  # type: ignore[arg-type]
        EventFilter(state="failed", **last),  # type: ignore[arg-type]
        EventFilter(type="custom.b", text="nothing", **last),  # type: ignore[arg-type]
    ]
    with entering(million):
        with plans() as seen:
            Event.objects.filter(priority=4).exists()
        assert read_whole(seen[0][1], _BIG) == [
            "events_event"
        ]  # so would be told what is read through

        middle = Event.objects.get(event_id="e500000", source="channel")
        for chosen in filters:
            for cursor in ("", f"older:{middle.uid}", f"newer:{middle.uid}"):
                with plans() as seen:
                    find_page(chosen, cursor=cursor)
                assert_by_index(seen, _BIG)
        assert [e.event_id for e in find_page(EventFilter(state="failed")).events] == ["e5"]
        assert [e.event_id for e in find_page(EventFilter(source="rare")).events] == ["e77"]
        assert len(find_page(EventFilter(subject="subject 7")).events) == 20
        # What is not there is looked for in steps; the page says how far.
        assert find_page(EventFilter(text="no such text")).looked_back_to is not None

        with plans() as seen:
            tell(middle, now=now)
        assert_by_index(seen, _BIG)

        replay = start_replay(
            EventFilter(state="failed"), handler_names=None, include_external=False, rate=None,
            requested_by="ann", reason="", now=now,
        )  # fmt: skip
        with plans() as seen:
            step_replay(replay.pk, now=now)
        assert_by_index(seen, _BIG)
        replay.refresh_from_db()
        assert (replay.replayed, replay.state) == (1, "done")

        # And so for the screens, which count nothing either.
        user = get_user_model().objects.create_superuser("ann")
        client.force_login(user)
        for address in (
            "/admin/events/event/",
            "/admin/events/event/?state=failed",
            "/admin/events/event/?text=nothing&type=custom.*",
        ):
            with plans() as seen:
                answer = client.get(address, headers={"host": "acme.localhost"})
            assert answer.status_code == 200
            assert_by_index(seen, _BIG)
            assert not [sql for sql, _ in seen if "COUNT(*)" in sql and "events_" in sql]
