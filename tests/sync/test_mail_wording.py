"""What mails say, word for word."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from apps.sync.alerts import ALERTS
from apps.sync.connectors.mail_wording import WORDS, write_words
from apps.web.sites import Site
from pms_events.catalogue.operations import ConnectionSilent, FallbackGrown
from pms_events.context import Event
from pms_events.event_types import catalogue

_AT = datetime(2027, 6, 1, 12, 5, 59, tzinfo=UTC)
_SITE = Site(name="Acme Stays", base="https://acme.pms.example")
_ENDPOINT = "/admin/sync/endpoint/1/change/"
_UID = UUID("0197c1de-0000-7000-8000-00000000000e")
_END = f"""event: {_UID}

-- 
This address is an endpoint of Acme Stays: https://acme.pms.example/admin/sync/endpoint/1/change/
"""  # noqa: W291 - the mark of a signature is "-- "


def write(type: str, *, site: Site = _SITE, subject: str = "", **data: Any) -> tuple[str, str]:
    event = Event(
        uid=_UID, id="e1", source="pms", type=type, subject=subject, time=_AT,
        time_was_given=True, data=data, extensions={}, recorded_at=_AT,
    )  # fmt: skip
    return write_words(event, site=site, endpoint_path=_ENDPOINT)


def test_a_death_says_what_failed_and_where_to_look() -> None:
    subject, text = write(
        "delivery.died", fingerprint="9f86d081884c7d65", handler="bookings.record_booking",
        reason="permanent", about="booking.created",
        sentence="bookings.record_booking failed for booking.created: UnknownProperty",
        dead_letter_id="0197c1de-0000-7000-8000-000000000000",
    )  # fmt: skip
    assert subject == "[Acme Stays] Needs a person: booking.created could not be handled"
    queue = "https://acme.pms.example/admin/fallback/deadletter/"
    assert text == (
        "bookings.record_booking failed for booking.created: UnknownProperty.\n"
        "\n"
        "It will not be tried again by itself: a person decides to retry, correct or discard it.\n"
        "The first one failed at 2027-06-01 12:05 UTC. This is said once for all that fail of the "
        "same cause:\n"
        "how many there are is on the page.\n"
        "\n"
        f"All of this cause: {queue}?fingerprint=9f86d081884c7d65\n"
        f"The first one: {queue}0197c1de-0000-7000-8000-000000000000/change/\n"
        "\n"
        "fingerprint: 9f86d081884c7d65\n"
        "handler: bookings.record_booking\n"
        "reason: permanent\n"
        "about: booking.created\n"
        "sentence: bookings.record_booking failed for booking.created: UnknownProperty\n"
        "dead_letter_id: 0197c1de-0000-7000-8000-000000000000\n" + _END
    )


def test_a_queue_that_grew_says_how_long_it_is_and_what_most_of_it_is() -> None:
    data = catalogue.of(FallbackGrown).example
    subject, text = write("fallback.grown", **data)
    assert subject == "[Acme Stays] 137 wait for a person in the fallback queue"
    queue = "https://acme.pms.example/admin/fallback/deadletter/"
    assert text.startswith(
        "130 of them failed of one cause in bookings.record_booking, the first at 2027-06-01 10:00 "
        "UTC: deciding about\nthat cause decides about them all. You are told again when the queue is "
        "ten times as long, or\nwhen it was worked off and grows anew.\n"
        "\n"
        f"That cause: {queue}?fingerprint=9f86d081884c7d65\n"
        f"All causes: {queue}groups/\n"
    )
    assert write("fallback.grown", **{**data, "open": 10_000, "is_capped": True})[0] == (
        "[Acme Stays] 10000 or more wait for a person in the fallback queue"
    )


def test_a_stall_says_since_when_and_that_nothing_is_lost() -> None:
    assert write("category.stalled", name="messaging", since="2027-06-01T10:00:00Z") == (
        "[Acme Stays] Messaging stands still",
        "Work of messaging is waiting, and nothing of it has moved since 2027-06-01 10:00 UTC.\n"
        "Nothing is lost: it goes on by itself once the operator has mended it, and you are told.\n"
        "\n"
        "How things go: https://acme.pms.example/admin/\n"
        "\n"
        "name: messaging\n"
        "since: 2027-06-01T10:00:00Z\n" + _END,
    )


def test_the_end_of_a_stall_says_how_long_it_was() -> None:
    assert write(
        "category.recovered", name="messaging", stalled_since="2027-06-01T12:00:00+02:00"
    ) == (
        "[Acme Stays] Messaging moves again",
        "Messaging had stood still since 2027-06-01 10:00 UTC. "
        "It has moved again since 2027-06-01 12:05 UTC;\n"
        "what had waited is being done.\n"
        "\n"
        "How things go: https://acme.pms.example/admin/\n"
        "\n"
        "name: messaging\n"
        "stalled_since: 2027-06-01T12:00:00+02:00\n" + _END,
    )


def test_an_endpoint_that_is_off_says_why() -> None:
    endpoint_id = "0197c1de-0000-7000-8000-000000000001"
    assert write(
        "endpoint.disabled", endpoint_id=endpoint_id, host="hooks.example.com",
        reason="it answered 410 Gone",
    ) == (
        "[Acme Stays] Nothing is sent to hooks.example.com any more",
        "The endpoint was switched off at 2027-06-01 12:05 UTC: it answered 410 Gone.\n"
        "What happens from now on is not sent there. Once the receiver is well, enable the endpoint "
        "again.\n"
        "\n"
        f"The endpoint: https://acme.pms.example/admin/sync/endpoint/{endpoint_id}/change/\n"
        "\n"
        f"endpoint_id: {endpoint_id}\n"
        "host: hooks.example.com\n"
        "reason: it answered 410 Gone\n" + _END,
    )  # fmt: skip


def test_a_test_says_that_nothing_has_happened() -> None:
    assert write("custom.endpoint_tested", endpoint="1") == (
        "[Acme Stays] Test: mail arrives here",
        "Somebody tried this address at 2027-06-01 12:05 UTC. Nothing has happened.\n"
        "\n"
        "endpoint: 1\n" + _END,
    )


def test_whatever_else_is_told_as_it_is() -> None:
    subject, text = write("custom.minibar_refilled", subject="room:101", name="Zoë", items=[1])
    assert subject == "[Acme Stays] custom.minibar_refilled: room:101"
    assert text == (
        "custom.minibar_refilled happened at 2027-06-01 12:05 UTC.\n"
        "\n"
        f"Its story: https://acme.pms.example/admin/events/event/{_UID}/change/\n"
        "\n"
        "type: custom.minibar_refilled\n"
        "subject: room:101\n"
        "time: 2027-06-01T12:05:59+00:00\n"
        "source: pms\n"
        f"event: {_UID}\n"
        "data:\n"
        '{\n  "name": "Zoë",\n  "items": [\n    1\n  ]\n}\n' + _END.partition("\n")[2]
    )


def test_a_tenant_without_a_host_is_told_without_links() -> None:
    _, text = write("category.stalled", site=Site(name="Acme", base=""), name="sync", since="soon")
    assert text == (
        "Work of sync is waiting, and nothing of it has moved since soon.\n"
        "Nothing is lost: it goes on by itself once the operator has mended it, and you are told.\n"
        "\n"
        "name: sync\n"
        "since: soon\n"
        f"event: {_UID}\n"
        "\n"
        "-- \n"
        "This address is an endpoint of Acme.\n"
    )


@pytest.mark.parametrize("type", ALERTS)
def test_every_alert_has_words_of_its_own_also_when_it_lost_its_facts(type: str) -> None:
    assert type in WORDS
    subject, text = write(type)
    assert type not in subject + text
    assert "https://acme.pms.example/admin/" in text


def test_a_payload_without_end_is_cut() -> None:
    _, text = write("custom.thing", long="x" * 100_000)
    assert len(text) < 21_000
    assert "\n… and more: see its story\n" in text


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_of_the_catalogue_has_words_that_use_its_facts(name: str) -> None:
    entry = catalogue.find(name)
    assert entry is not None
    assert name in WORDS
    text = write(name, **entry.example)[1]
    for field, fact in entry.example.items():
        shown = fact if isinstance(fact, str) else json.dumps(fact)
        assert f"{field}: {shown}\n" in text
    told = text.split("\n\n")[0]
    since = entry.example.get("silent_since")
    assert since is None or "since 2027-06-01 10:00 UTC" in told


def test_a_silence_says_who_is_silent_and_since_when() -> None:
    subject, text = write("connection.silent", **catalogue.of(ConnectionSilent).example)
    assert subject == "[Acme Stays] Nothing comes from Channel manager any more"
    page = "https://acme.pms.example/admin/sync/connection/0197c1de-0000-7000-8000-000000000002"
    assert text.startswith(
        "Nothing has come in over this connection since 2027-06-01 10:00 UTC, which is longer than "
        "usual or allowed.\n"
        "Bookings or changes may be missing: look whether the other side still sends.\n"
        "\n"
        f"The connection: {page}/change/\n"
    )
