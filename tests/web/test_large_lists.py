"""Lists over large tables: each page, search and filter goes by an index, in the admin and the API."""

from collections.abc import Callable, Iterator
from hashlib import md5
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from apps.tenants.entering import TenantRef, entering
from tests.plans import assert_by_index, plans, read_whole

_BIG = {
    "bookings_booking": 60_000, "bookings_stay": 60_000, "calendars_calendarentry": 60_000,
    "housekeeping_cleaningtask": 60_000, "reporting_dailyfigure": 60_000,
    "fallback_deadletter": 60_000, "sync_exchange": 100_000,
    "sync_reception": 60_000,
}  # fmt: skip

_FILL = f"""
INSERT INTO properties_property (ref, name, timezone, check_in_time, check_out_time)
SELECT 'prop-' || n, 'Property ' || n, 'Europe/Lisbon', '15:00', '10:00' FROM generate_series(1, 20) n;

INSERT INTO properties_unit (ref, property_id, name, unit_type)
SELECT 'unit-' || n, (SELECT min(id) FROM properties_property) + n % 20, 'Unit ' || n, 'flat'
FROM generate_series(1, 1000) n;

INSERT INTO bookings_booking (source, booking_ref, property_id, status, channel, guest_ref,
    booked_at, currency, applied_is_creation, applied_at, applied_ref)
SELECT 'channel', 'BK-' || n, (SELECT min(id) FROM properties_property) + n % 20,
    CASE n % 40 WHEN 0 THEN 'cancelled' ELSE 'confirmed' END,
    (ARRAY['airbnb', 'booking.com', 'direct'])[1 + n % 3], 'guest-' || n, now(), 'EUR', true, now(), ''
FROM generate_series(1, {_BIG["bookings_booking"]}) n;

INSERT INTO bookings_stay (booking_id, stay_ref, unit_id, unit_type, arrival, departure, adults,
    children, is_scheduled)
SELECT id, booking_ref || '-1', (SELECT min(id) FROM properties_unit) + n % 1000, 'flat',
    date '2020-01-01' + (n / 1000)::int * 4, date '2020-01-04' + (n / 1000)::int * 4, 2, 0, true
FROM (SELECT *, id - min(id) OVER () AS n FROM bookings_booking) numbered;

INSERT INTO calendars_calendarentry (unit_id, nights, kind, source, ref, booking_ref, guest_ref,
    channel, has_conflict)
SELECT s.unit_id, daterange(s.arrival, s.departure), 'stay', 'channel', s.stay_ref, b.booking_ref, '',
    b.channel, false
FROM bookings_stay s JOIN bookings_booking b ON b.id = s.booking_id;

INSERT INTO housekeeping_cleaningtask (unit_id, kind, status, source, booking_ref, stay_ref, arrival,
    departure, window_start, window_end, is_same_day, version)
SELECT s.unit_id, 'turnover', CASE s.id % 50 WHEN 0 THEN 'cancelled' ELSE 'planned' END, 'channel',
    b.booking_ref, s.stay_ref, s.arrival, s.departure, s.departure + time '10:00', NULL, false, 1
FROM bookings_stay s JOIN bookings_booking b ON b.id = s.booking_id;

INSERT INTO reporting_dailyfigure (property_ref, day, occupied_units, arrivals, departures)
SELECT 'prop-' || p, date '2020-01-01' + d, 3, 1, 1
FROM generate_series(1, 20) p, generate_series(0, {_BIG["reporting_dailyfigure"] // 20 - 1}) d;

INSERT INTO fallback_deadletter (id, delivery_id, event_uid, event_type, subject, stream, units,
    handler, target, category, priority, reason, error_class, message, traceback, fingerprint,
    attempts, failures, crashes, deaths, accepted_at, died_at, state, decided_by, note)
SELECT gen_random_uuid(), n, gen_random_uuid(), 'booking.created', 'BK-' || n, 'booking:BK-' || n,
    ARRAY['unit-' || n % 1000], 'bookings.record_booking', '', 'bookings', 2, 'permanent',
    'UnknownProperty', 'there is no property ''p' || n || '''', '', 'cause-' || n % 3, 1, 1, 0, 1,
    now(), now() - make_interval(secs => n), CASE WHEN n % 2 = 0 THEN 'open' ELSE 'resolved' END, '', ''
FROM generate_series(1, {_BIG["fallback_deadletter"]}) n;

INSERT INTO sync_endpoint (id, url, description, patterns, is_enabled, disabled_reason, secret,
    created_at, updated_at)
SELECT gen_random_uuid(), 'https://receiver.example', '', ARRAY['*'], true, '', '', now(), now();

INSERT INTO sync_exchange (endpoint_id, delivery_id, event_uid, attempt, started_at, duration_ms,
    url, request_headers, request_body, status, response_headers, response_body, error)
SELECT (SELECT id FROM sync_endpoint), n, gen_random_uuid(), 1, now(), 12,
    'https://receiver.example', '{{}}', '', 200, '{{}}', '', ''
FROM generate_series(1, {_BIG["sync_exchange"]}) n;

INSERT INTO sync_connection (id, name, connector, is_enabled, watched_since, received_count, gaps_seen,
    refused_count, created_at)
SELECT md5(n::text)::uuid, 'Sender ' || n, 'generic', true, now(), 0, 0, 0, now()
FROM generate_series(1, 21) n;

INSERT INTO sync_reception (id, connection_id, received_at, size, sealed, expires_at)
SELECT gen_random_uuid(), md5((1 + n % 20)::text)::uuid, now(), 2, '', now() + make_interval(secs => n)
FROM generate_series(1, {_BIG["sync_reception"]}) n;
"""

# Not here, because they read through what their filters leave, and say so: words in dead letters.
_ADMIN = [
    "fallback/deadletter/", "fallback/deadletter/?state=open", "fallback/deadletter/?state=open&p=20",
    "fallback/deadletter/?state=all", "fallback/deadletter/?state=discarded",
    "fallback/deadletter/?reason=poison", "fallback/deadletter/?reason=permanent",
    "fallback/deadletter/?handler=none", "fallback/deadletter/?category=sync",
    "fallback/deadletter/?assignee=ann", "fallback/deadletter/?fingerprint=cause-1",
    "fallback/deadletter/groups/?reason=poison",
    "fallback/deadletter/bulk/?action=retry&fingerprint=cause-1",
    "sync/exchange/", "sync/exchange/?p=50", "sync/exchange/?q=nothing",
    "sync/exchange/?answer=refused", "sync/exchange/?answer=none",
    "sync/exchange/?q=01a20fcc-4faf-7000-a000-0000000f4240",
    "sync/reception/", "sync/reception/?p=50", "sync/reception/?q=nothing",
    "sync/reception/?q=01a20fcc-4faf-7000-a000-0000000f4240",
    *(f"sync/reception/?connection__id__exact={UUID(md5(n).hexdigest())}" for n in (b"1", b"21")),
    "bookings/booking/", "bookings/booking/?p=50", "bookings/booking/?q=nothing",
    "bookings/booking/?q=bk-777", "bookings/booking/?q=guest-77",
    "bookings/booking/?status__exact=no_show", "bookings/booking/?channel=nowhere",
    "bookings/booking/?channel=airbnb",
    "calendars/calendarentry/", "calendars/calendarentry/?q=nothing",
    "calendars/calendarentry/?q=BK-777", "calendars/calendarentry/?q=unit-7",
    "calendars/calendarentry/?has_conflict__exact=1",
    "housekeeping/cleaningtask/", "housekeeping/cleaningtask/?p=50",
    "housekeeping/cleaningtask/?q=nothing", "housekeeping/cleaningtask/?q=unit-7",
    "housekeeping/cleaningtask/?status__exact=cancelled",
    "housekeeping/cleaningtask/?status__exact=planned",
    "reporting/dailyfigure/", "reporting/dailyfigure/?property_ref=prop-7",
    "reporting/dailyfigure/?day_from=2022-03-01&day_to=2022-03-02",
]  # fmt: skip
_API = [
    "dead-letters", "dead-letters?reason=poison", "dead-letters?handler=none",
    "dead-letters?category=sync", "dead-letters?state=discarded", "dead-letters?state=all",
    "dead-letters?fingerprint=cause-1", "dead-letters?since=2020-01-01T00:00:00Z&until=2020-02-01T00:00:00Z",
    "dead-letters/groups",
    "bookings", "bookings?status=no_show", "bookings?channel=nowhere", "bookings?booking_ref=BK-777",
    "bookings?arrival_from=2020-02-01&arrival_to=2020-02-02", "bookings?arrival_from=2031-01-01",
    "calendar", "calendar?unit=unit-7", "calendar?from=2020-05-01&to=2020-05-02",
    "calendar?from=2031-01-01",
    "cleaning-tasks", "cleaning-tasks?status=cancelled", "cleaning-tasks?status=not_needed",
    "cleaning-tasks?from=2020-06-01T00:00:00Z&to=2020-06-02T00:00:00Z",
    "cleaning-tasks?from=2031-01-01T00:00:00Z",
    "reports/occupancy", "reports/occupancy?property=prop-7", "reports/occupancy?from=2031-01-01",
]  # fmt: skip


@pytest.fixture
def large(acme: TenantRef) -> Iterator[TenantRef]:
    """A tenant whose tables are so large that PostgreSQL would not read them for nothing."""
    with entering(acme):
        with connection.cursor() as cursor:
            cursor.execute(_FILL)
            cursor.execute("VACUUM ANALYZE")  # as autovacuum would have done by then
    yield acme
    with entering(acme), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(_BIG)} CASCADE")


def test_no_list_reads_a_large_table_through(
    large: TenantRef, client: Client, key_of: Callable[..., str]
) -> None:
    with entering(large):
        with plans() as seen, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM bookings_booking WHERE currency = 'JPY'")
        assert read_whole(seen[0][1], _BIG) == ["bookings_booking"]  # so would be told
        client.force_login(get_user_model().objects.create_superuser("ann"))
    key = key_of(large)
    for address in _ADMIN:
        with plans() as seen:
            answer = client.get(f"/admin/{address}", headers={"host": "acme.localhost"})
        assert answer.status_code == 200, address
        assert_by_index(seen, _BIG)
    for address in _API:
        with plans() as seen:
            answer = client.get(
                f"/api/v1/{address}",
                headers={"authorization": f"Bearer {key}", "host": "127.0.0.1"},
            )
        assert answer.status_code == 200, address
        assert_by_index(seen, _BIG)
    pages = client.get("/admin/bookings/booking/", headers={"host": "acme.localhost"})
    assert "10,000+ bookings: filter or search to see the others" in pages.content.decode()
