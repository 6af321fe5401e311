"""Events are stored as they are and in the order they were given."""

import itertools

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apps.dispatch.models import Arrival
from apps.events.models import Event
from apps.events.store import Lineage, store_events
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope

# What PostgreSQL cannot store is refused at the door (tests/events/test_ingest.py).
_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
TEXT = st.text(_CHARACTERS, max_size=20)


def envelope(id: str, *, subject: str = "", text: str = "") -> Envelope:
    return Envelope(
        id=id, source="t", type="custom.a", subject=subject, data={"text": text, "none": None}
    )


@pytest.mark.parametrize("step", [1_000, 0, -1_000_000], ids=["usual", "stopped", "back"])
def test_arrivals_are_in_the_order_of_the_call_whatever_the_clock_does(
    acme: TenantRef, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    moments = itertools.count(1_800_000_000_000_000_000, step)
    monkeypatch.setattr("pms_events.identifiers.time.time_ns", lambda: next(moments))
    ids = [f"{n:02}" for n in reversed(range(40))]
    with entering(acme):
        store_events([envelope(id) for id in ids], [None] * len(ids), lineage=Lineage())
        names = dict(Event.objects.values_list("uid", "event_id"))
    uids = Arrival.objects.order_by("id").values_list("event_uid", flat=True)
    assert [names[uid] for uid in uids] == ids


@given(id=st.text(_CHARACTERS, min_size=1, max_size=20), subject=TEXT, text=TEXT)
@example(id="NULL", subject="\\N", text="{}")
@example(id='a"b,c\\', subject="{a,b}", text='\t\n\\"')
@example(id=" ", subject="%s %(uid)s", text="\\u0041 'x' $1")
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_stored_is_read_again(acme: TenantRef, id: str, subject: str, text: str) -> None:
    sent = envelope(id, subject=subject, text=text)
    with entering(acme), transaction.atomic():
        (receipt,) = store_events([sent], [None], lineage=Lineage(handlers=[text], target="x"))
        event = Event.objects.get(uid=receipt.uid)
        arrival = Arrival.objects.get(event_uid=receipt.uid)
        transaction.set_rollback(True)
    assert (event.event_id, event.subject, event.data) == (id, subject, sent.data)
    assert bytes(event.body_hash) == sent.body_hash()
    assert (arrival.stream, arrival.handlers, arrival.target) == (event.stream, [text], "x")
