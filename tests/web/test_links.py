"""What other apps tell about an event, in its tenant alone."""

from collections.abc import Callable
from uuid import uuid4

from apps.events.models import Event
from apps.fallback.models import DeadLetter
from apps.tenants.entering import TenantRef, entering
from apps.web.links import About, find_exhibits, find_links
from pms_events.envelope import Envelope
from pms_events.publishing import publish_many
from tests.fallback.conftest import booking
from tests.fallback.conftest import build as build
from tests.fallback.conftest import die as die


def about(event: Event) -> About:
    return About(
        uid=event.uid, type=event.type, subject=event.subject, source=event.source, data=event.data
    )


def test_an_event_leads_to_its_booking_unit_and_property(
    acme: TenantRef,
    harbor: TenantRef,
    build: Callable[..., None],
    run_all: Callable[..., int],
) -> None:
    for tenant in (acme, harbor):
        build(tenant, "seaview")
    with entering(acme):
        data = booking("3333333333", property_id="seaview")
        publish_many([Envelope(id="1", source="booking.com", type="booking.created", data=data)])
    run_all()
    with entering(acme):
        told = {e.type: find_links(about(e)) for e in Event.objects.all()}
    for type_ in ("booking.created", "stay.scheduled"):
        assert [(link.label, link.text) for link in told[type_]] == [
            ("Property", "Seaview"),
            ("Unit", "101 (seaview-101)"),
            ("Booking", "3333333333 (booking.com)"),
        ]
    with entering(harbor):  # has the property, and no such booking
        strange = About(uid=uuid4(), type="x", subject="", source="booking.com", data=data)
        assert [link.label for link in find_links(strange)] == ["Property", "Unit"]


def test_an_event_leads_to_its_dead_letter(
    acme: TenantRef, harbor: TenantRef, die: Callable[..., list[DeadLetter]]
) -> None:
    letter = die(acme, "1")[0]
    with entering(acme):
        [told] = find_exhibits(about(Event.objects.get()))
        asked = about(Event.objects.get())
    assert told.delivery_id == letter.delivery_id
    assert told.is_bad
    assert str(letter.pk) in told.url
    with entering(harbor):
        assert find_exhibits(asked) == []


def test_odd_data_is_looked_through_without_harm() -> None:
    deep = {
        "unit_id": ["a", {"unit_id": "u"}],
        "unit": 5,
        "x": [[{"unit": "v"}]],
        "booking_ref": "",
    }
    asked = About(uid=uuid4(), type="x", subject="", source="", data=deep)
    assert asked.refs("unit_id", "unit", "booking_ref") == {"u", "v"}
