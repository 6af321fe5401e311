"""A connection falls silent: told once, and told again when it speaks."""

from datetime import datetime, timedelta

from django.utils import timezone

from apps.events.models import Event
from apps.sync import connecting, receiving, rounds
from apps.sync.connectors.registry import Received
from apps.sync.models import Connection
from apps.sync.silence import ENOUGH
from apps.tenants.entering import TenantRef, entering
from pms_events.rounds import checks

HOUR = timedelta(hours=1)


def make(now: datetime, **options: object) -> Connection:
    return connecting.create_connection(name="feed", now=now, **options).connection  # type: ignore[arg-type]


def hear(connection: Connection, at: datetime) -> None:
    body = f'{{"id": "{at.timestamp()}", "source": "s", "type": "custom.a"}}'.encode()
    receiving.receive(connection, Received(headers={}, body=body), now=at)


def told() -> list[tuple[str, dict[str, object]]]:
    types = ("connection.silent", "connection.resumed")
    rows = Event.objects.filter(type__in=types).order_by("uid")
    return [(event.type, event.data) for event in rows]


def test_the_checks_are_part_of_the_round() -> None:
    names = [name for name, _ in checks()]
    assert "apps.sync.rounds.tell_silent_connections" in names
    assert "apps.sync.rounds.forget_expired_bodies" in names


def test_a_silence_is_told_once_and_so_is_its_end(acme: TenantRef, harbor: TenantRef) -> None:
    now = timezone.now()
    with entering(acme):
        connection = make(now, silent_after=HOUR)
        hear(connection, now)
        rounds.tell_silent_connections(now + HOUR)
        assert told() == []
        for minutes in (61, 66, 71):
            rounds.tell_silent_connections(now + timedelta(minutes=minutes))
        [(type, data)] = told()
        assert type == "connection.silent"
        assert data == {
            "connection_id": str(connection.pk),
            "name": "feed",
            "silent_since": now.isoformat().replace("+00:00", "Z"),
            "last_received_at": now.isoformat().replace("+00:00", "Z"),
            "limit_seconds": 3600,
        }
        assert Connection.objects.get().silent_since == now
        hear(connection, now + 3 * HOUR)
        hear(connection, now + 3 * HOUR)
        assert [type for type, _ in told()] == ["connection.silent", "connection.resumed"]
        assert Connection.objects.get().silent_since is None
        rounds.tell_silent_connections(now + 5 * HOUR)
        assert [type for type, _ in told()][-1] == "connection.silent"
        assert Event.objects.filter(subject=f"connection:{connection.pk}").exists()
    with entering(harbor):
        assert told() == []


def test_a_connection_is_judged_by_its_usual_gap_when_it_is_known(acme: TenantRef) -> None:
    now = timezone.now()
    with entering(acme):
        connection = make(now)
        for n in range(ENOUGH):
            hear(connection, now + n * HOUR)
        last = now + (ENOUGH - 1) * HOUR
        rounds.tell_silent_connections(last + timedelta(days=30))
        assert told() == []  # one gap too few to know it
        hear(connection, now + ENOUGH * HOUR)
        rounds.tell_silent_connections(now + ENOUGH * HOUR + timedelta(hours=23))
        assert told() == []
        rounds.tell_silent_connections(now + ENOUGH * HOUR + timedelta(hours=25))
        [(_, data)] = told()
    assert (data["usual_gap_seconds"], data["limit_seconds"]) == (3600, 86400)


def test_one_that_was_never_heard_is_silent_by_a_person_s_limit_alone(acme: TenantRef) -> None:
    now = timezone.now()
    with entering(acme):
        make(now)
        limited = make(now, silent_after=HOUR)
        rounds.tell_silent_connections(now + timedelta(days=30))
        [(_, data)] = told()
    assert data["connection_id"] == str(limited.pk)
    assert "last_received_at" not in data


def test_a_disabled_one_is_not_judged_and_an_enabled_one_from_then_on(acme: TenantRef) -> None:
    now = timezone.now()
    with entering(acme):
        connection = make(now, silent_after=HOUR)
        hear(connection, now)
        connecting.update_connection(connection, is_enabled=False, now=now)
        rounds.tell_silent_connections(now + 5 * HOUR)
        assert told() == []
        connecting.update_connection(connection, is_enabled=True, now=now + 5 * HOUR)
        rounds.tell_silent_connections(now + 6 * HOUR)
        assert told() == []
        rounds.tell_silent_connections(now + 7 * HOUR)
        assert len(told()) == 1


def test_another_limit_judges_anew_and_tells_the_same_silence_no_second_time(
    acme: TenantRef,
) -> None:
    now = timezone.now()
    with entering(acme):
        connection = make(now, silent_after=HOUR)
        hear(connection, now)
        rounds.tell_silent_connections(now + 2 * HOUR)
        for limit, silent_since in ((4 * HOUR, None), (timedelta(minutes=90), now)):
            connecting.update_connection(connection, silent_after=limit, now=now + 2 * HOUR)
            rounds.tell_silent_connections(now + 2 * HOUR)
            assert Connection.objects.get().silent_since == silent_since
        assert len(told()) == 1
