"""The event log: found by every filter, in pages of bounded work, the same for API and admin."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from apps.events.filters import STATES, EventFilter
from apps.events.log import walk
from apps.events.models import Event
from apps.events.queries import get_stories
from apps.tenants.entering import TenantRef, entering
from pms_events.envelope import Envelope
from pms_events.errors import PermanentError
from pms_events.outcomes import Discard
from pms_events.publishing import publish_many
from tests.conftest import Api
from tests.engine.handlers import handler


def publish(tenant: TenantRef, *ids: str, type: str = "custom.a", **options: str) -> None:
    with entering(tenant):
        publish_many(
            [
                Envelope(
                    id=id_,
                    source=options.get("source", "test"),
                    type=type,
                    subject=options.get("subject", f"subject {id_}"),
                    data={"note": f"Note of {id_}", "where": {"unit": options.get("unit", "101")}},
                )
                for id_ in ids
            ]
        )


def ids(chosen: EventFilter, **options: object) -> list[str]:
    return [e.event_id for e in walk(chosen, limit=100, **options).events]  # type: ignore[arg-type]


@pytest.fixture
def states(acme: TenantRef, run_all: Callable[..., int]) -> TenantRef:
    """One event in each state, named after it, and one that failed once and was retried since."""

    def decide(payload: object, context: object) -> object:
        match context.event.id:  # type: ignore[attr-defined]
            case "failed":
                raise PermanentError("no such unit")
            case "discarded":
                return Discard("nobody needs it")
            case "in_progress":
                raise ConnectionError("away")
        return None

    with handler(decide, ordered=False):
        publish(acme, "done", "failed", "discarded", "in_progress")
        run_all()
        with entering(acme):
            Event.objects.filter(type="delivery.died").delete()  # the alert about it
        publish(acme, "accepted")
    return acme


@pytest.mark.parametrize("state", STATES)
def test_each_state_finds_its_event(states: TenantRef, state: str) -> None:
    with entering(states):
        assert ids(EventFilter(state=state)) == [state]
        assert ids(EventFilter(state=state), is_newest_first=False) == [state]
        event = Event.objects.get(event_id=state)
        assert get_stories([event.uid])[event.uid].state == state


def test_filters_add_up(acme: TenantRef, harbor: TenantRef) -> None:
    publish(acme, "1", "2", subject="booking 7", source="channel")
    publish(acme, "3", subject="booking 7", type="custom.b", unit="Über 102")
    publish(harbor, "4", subject="booking 7")
    with entering(acme):
        assert ids(EventFilter()) == ["3", "2", "1"]
        assert ids(EventFilter(type="custom.a")) == ["2", "1"]
        assert ids(EventFilter(type="custom.*")) == ["3", "2", "1"]
        assert ids(EventFilter(subject="booking 7", type="custom.b")) == ["3"]
        assert ids(EventFilter(source="channel")) == ["2", "1"]
        assert ids(EventFilter(source="channel"), is_newest_first=False) == ["1", "2"]
        assert ids(EventFilter(source="nobody")) == []
        assert ids(EventFilter(category="automation")) == ["3", "2", "1"]
        assert ids(EventFilter(category="bookings")) == []
        assert ids(EventFilter(text="über 102")) == ["3"]
        assert ids(EventFilter(text="note of 2")) == ["2"]
        assert ids(EventFilter(text="100%")) == []
        assert ids(EventFilter(text="_ote")) == []
        hour = timedelta(hours=1)
        assert ids(EventFilter(since=timezone.now() - hour)) == ["3", "2", "1"]
        assert ids(EventFilter(until=timezone.now() - hour)) == []
    with entering(harbor):
        assert ids(EventFilter(subject="booking 7")) == ["4"]


def test_a_walk_ends_at_its_budget_and_goes_on_where_it_ended(acme: TenantRef) -> None:
    publish(acme, *[f"{n:03}" for n in range(450)])
    with entering(acme):
        rare = EventFilter(text="Note of 007")
        first = walk(rare, limit=10, budget=200)
        assert first.events == []
        assert first.reached == Event.objects.get(event_id="250").uid
        assert first.reached_at is not None
        second = walk(rare, limit=10, budget=1000, start=first.reached)
        assert [e.event_id for e in second.events] == ["007"]
        assert second.reached is None


def test_the_api_pages_both_ways_without_gaps(
    acme: TenantRef, harbor: TenantRef, api_of: Callable[..., Api]
) -> None:
    publish(acme, *[f"{n}" for n in range(5)])
    api = api_of(acme)

    def shown(url: str) -> list[str]:
        return [event["id"] for event in pages[url]["results"]]

    pages = {"first": api.get("events", limit=2, type="custom.*").json()}
    pages["second"] = api.session.get(_here(api, pages["first"]["next"])).json()
    pages["third"] = api.session.get(_here(api, pages["second"]["next"])).json()
    pages["back"] = api.session.get(_here(api, pages["third"]["previous"])).json()
    assert [shown(name) for name in pages] == [["4", "3"], ["2", "1"], ["0"], ["2", "1"]]
    assert pages["first"]["previous"] is None
    assert pages["third"]["next"] is None
    assert api_of(harbor).get("events").json()["results"] == []


def _here(api: Api, url: str) -> str:
    return f"{api.base_url}/api/{url.partition('/api/')[2]}"


def test_odd_times_and_texts_harm_nothing(acme: TenantRef, api_of: Callable[..., Api]) -> None:
    publish(acme, "1")
    api = api_of(acme)
    for values, found in (
        ({"since": "0001-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"}, ["1"]),
        ({"since": "9999-12-31T23:59:59Z"}, []),
        ({"until": "0001-01-01T00:00:00Z"}, []),
        ({"text": "'; DROP TABLE \\ %_"}, []),
        ({"limit": "0"}, ["1"]),
        ({"limit": "9" * 4400}, ["1"]),
        ({"limit": "lots"}, ["1"]),
    ):
        answer = api.get("events", **values)
        assert answer.status_code == 200
        assert [event["id"] for event in answer.json()["results"]] == found
    for values in ({"text": "\x00"}, {"since": "soon"}, {"text": "x" * 256}):
        assert api.get("events", **values).status_code == 422


def test_a_bad_cursor_is_a_problem(acme: TenantRef, api_of: Callable[..., Api]) -> None:
    for cursor in ("older:", "older:zebra", f"sideways:{UUID(int=1)}", "%00"):
        answer = api_of(acme).get("events", cursor=cursor)
        assert (answer.status_code, answer.headers["Content-Type"]) == (
            422,
            "application/problem+json",
        )
