"""`delivery.died`: once per cause, and alerts about failing alerts come to an end."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.events.models import Event
from apps.fallback.models import DeadLetter
from apps.fallback.operations import discard
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.errors import PermanentError
from pms_events.publishing import publish_many, subscribe
from tests.engine.handlers import handler


def send(tenant: TenantRef, *ids: str) -> None:
    with entering(tenant):
        publish_many(
            [
                Envelope(id=id, source="t", type="custom.a", subject="ada@example.com", data={})
                for id in ids
            ]
        )


def told(tenant: TenantRef) -> list[Event]:
    with entering(tenant):
        return list(Event.objects.filter(type="delivery.died").order_by("recorded_at"))


def fail(payload: Any, context: Any) -> None:
    raise PermanentError(f"guest ada@example.com has no booking {context.event.id}")


def test_500_of_one_cause_are_told_once(
    acme: TenantRef, harbor: TenantRef, run_all: Callable[..., int]
) -> None:
    with handler(fail):
        send(acme, *map(str, range(500)))
        run_all()
        send(acme, "500")
        run_all()
    (event,) = told(acme)
    with entering(acme):
        assert DeadLetter.objects.count() == 501
        letter = DeadLetter.objects.get(pk=event.data["dead_letter_id"])
        assert event.causation == letter.event_uid
    assert (event.data["fingerprint"], event.data["handler"]) == (
        letter.fingerprint, "test.handler",
    )  # fmt: skip
    assert "ada" not in str(event.data), "an alert carries nothing of a guest"
    assert told(harbor) == []


def test_a_rule_acts_once_on_what_many_deaths_have_in_common(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    def act(payload: Any, context: Any) -> None:
        data = {"lost": payload.handler}
        publish_many([Envelope(id="a", source="rules", type="custom.help_asked", data=data)])

    with (
        handler(fail, types=("custom.a",)),
        handler(act, types=("delivery.died",), name="test.rule") as acted,
    ):
        send(acme, *map(str, range(20)))
        run_all()
    assert len(acted) == 1
    (died,) = told(acme)
    with entering(acme):
        asked = Event.objects.get(type="custom.help_asked")
    assert (asked.causation, asked.data) == (died.uid, {"lost": "test.handler"})


def test_a_cause_that_was_settled_or_is_a_day_old_is_told_again(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    with handler(fail):
        send(acme, "1")
        run_all()
        with entering(acme):
            Event.objects.filter(type="delivery.died").update(event_id="long ago")
            discard([DeadLetter.objects.get()], actor="ann", note="known", now=timezone.now())
        send(acme, "2")
        run_all()
        assert len(told(acme)) == 2
        with entering(acme):
            Event.objects.filter(type="delivery.died", event_id__contains=":").update(
                event_id="not so long ago"
            )
            DeadLetter.objects.update(died_at=timezone.now() - timedelta(hours=25))
        send(acme, "3")
        run_all()
    assert len(told(acme)) == 3


def test_alerts_whose_own_delivery_dies_end_whatever_their_errors_say(
    acme: TenantRef, run_all: Callable[..., int]
) -> None:
    words = itertools.count()

    def always_another_error(payload: Any, context: Any) -> None:
        raise PermanentError("x" * (next(words) + 1))

    with handler(always_another_error, types=("*",), fan_out=True):
        with entering(acme):
            subscribe(handler="test.handler", target="pager", patterns=["*"])
        send(acme, "1")
        run_all()
    with entering(acme):
        assert DeadLetter.objects.filter(event_type="custom.a").count() == 1
        assert DeadLetter.objects.filter(event_type="delivery.died").count() == 1
    assert len(told(acme)) == 1
