"""`POST /api/v1/events` over a socket: four forms in, bad input out, nothing stored of it."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from apps.dispatch.models import Arrival, Lane
from apps.events.models import Event
from apps.tenants.entering import TenantRef, entering
from pms_events.context import Context
from pms_events.envelope import Envelope
from pms_events.event_types import catalogue
from pms_events.publishing import publish_many
from tests.conftest import Api
from tests.engine.handlers import handler

BOOKING = catalogue.find("booking.created").example  # type: ignore[union-attr]


def booking(id: str = "1", **envelope: Any) -> dict[str, Any]:
    return {"id": id, "source": "test", "type": "booking.created", "data": BOOKING, **envelope}


def stored(tenant: TenantRef) -> int:
    with entering(tenant):
        return Event.objects.count() + Arrival.objects.count()


@pytest.fixture
def api(acme: TenantRef, api_of: Callable[..., Api]) -> Api:
    return api_of(acme)


def send_raw(api: Api, body: bytes | str, content_type: str = "application/json") -> Any:
    data = body.encode() if isinstance(body, str) else body
    return api.post("events", data=data, headers={"Content-Type": content_type})


def test_one_event_is_accepted_and_shown(api: Api, acme: TenantRef) -> None:
    answer = api.post("events", booking(time="2027-01-15T10:00:00+01:00", traceparent="00-a"))
    assert answer.status_code == 202
    result = answer.json()["results"][0]
    assert answer.json() == {
        "accepted": 1,
        "duplicates": 0,
        "rejected": 0,
        "results": [
            {"index": 0, "id": "1", "source": "test", "uid": result["uid"], "status": "accepted"}
        ],
    }
    shown = api.get(f"events/{result['uid']}").json()
    assert shown["time"] == "2027-01-15T09:00:00Z"
    assert shown["data"] == BOOKING
    assert shown["extensions"] == {"traceparent": "00-a"}
    assert shown["state"] == "accepted"


def test_a_list_is_accepted_in_its_order(api: Api) -> None:
    answer = api.post("events", [booking("1"), booking("2")])
    assert answer.status_code == 202
    assert [(r["index"], r["id"], r["status"]) for r in answer.json()["results"]] == [
        (0, "1", "accepted"),
        (1, "2", "accepted"),
    ]


def test_the_public_sdk_s_structured_and_binary_forms_are_accepted(api: Api) -> None:
    event = CloudEvent(
        attributes={
            "id": "s",
            "source": "sdk",
            "type": "custom.thing",
            "specversion": "1.0",
            "datacontenttype": "application/json",
            "subject": "Zürich",
        },
        data={"a": 1},
    )
    for form in (to_structured_event, to_binary_event):
        message = form(event, JSONFormat())
        body = message.body
        answer = api.post("events", data=body, headers=dict(message.headers))
        assert answer.status_code == 202, answer.text
    assert answer.json()["duplicates"] == 1


def test_a_cloudevents_batch_is_accepted(api: Api) -> None:
    batch = json.dumps([{**booking("1"), "specversion": "1.0"}])
    answer = send_raw(api, batch, "application/cloudevents-batch+json")
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


def test_data_in_base64_is_read(api: Api) -> None:
    event = booking()
    del event["data"]
    event["data_base64"] = base64.b64encode(json.dumps(BOOKING).encode()).decode()
    uid = api.post("events", event).json()["results"][0]["uid"]
    assert api.get(f"events/{uid}").json()["data"] == BOOKING


def test_the_same_event_again_is_a_duplicate_another_body_a_conflict(
    api: Api, acme: TenantRef
) -> None:
    first = api.post("events", booking()).json()["results"][0]
    again = api.post("events", booking())
    assert (again.status_code, again.json()["duplicates"]) == (202, 1)
    assert again.json()["results"][0]["uid"] == first["uid"]
    changed = api.post("events", booking(data={**BOOKING, "channel": "other"}))
    assert changed.status_code == 409
    assert changed.headers["Content-Type"] == "application/problem+json"
    assert changed.json()["results"][0]["status"] == "conflict"
    assert api.get(f"events/{first['uid']}").json()["data"] == BOOKING
    mixed = api.post("events", [booking(), booking(subject="x"), booking("2")])
    assert [r["status"] for r in mixed.json()["results"]] == ["duplicate", "conflict", "accepted"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"id": None}, "#/id"),
        ({"id": ""}, "#/id"),
        ({"id": 7}, "#/id"),
        ({"id": "x" * 256}, "#/id"),
        ({"source": "x" * 256}, "#/source"),
        ({"subject": "x" * 256}, "#/subject"),
        ({"type": "martian.landed"}, "#/type"),
        ({"type": "no spaces allowed"}, "#/type"),
        ({"time": "2027-01-15T10:00:00"}, "#/time"),
        ({"time": "yesterday"}, "#/time"),
        ({"time": 1700000000}, "#/time"),
        ({"specversion": "0.3"}, "#/specversion"),
        ({"datacontenttype": "text/xml"}, "#/datacontenttype"),
        ({"data": [1]}, "#/data"),
        ({"data": "text"}, "#/data"),
        ({"data": {}}, "#/data/external_ref"),
        ({"data": {**BOOKING, "stays": []}}, "#/data/stays"),
        (
            {"data": {**BOOKING, "stays": [{**BOOKING["stays"][0], "arrival": "soon"}]}},
            "#/data/stays/0/arrival",
        ),
        (
            {"data": {**BOOKING, "stays": [{**BOOKING["stays"][0], "departure": "2027-06-01"}]}},
            "#/data/stays/0",
        ),
        ({"data": {**BOOKING, "booked_at": "2027-01-15T10:00:00"}}, "#/data/booked_at"),
        ({"bad name": 1}, "#/bad name"),
    ],
)
def test_a_bad_event_is_refused_with_a_pointer_and_nothing_is_stored(
    api: Api, acme: TenantRef, change: dict[str, Any], pointer: str
) -> None:
    answer = api.post("events", booking(**change))
    assert answer.status_code == 422, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert stored(acme) == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", "malformed JSON"),
        ("", "empty"),
        ('{"id": NaN}', "NaN"),
        ('{"id": -Infinity}', "Infinity"),
        ('{"id": 1e999}', "too large"),
        ('{"id": "1", "id": "2"}', "stands twice"),
        ('{"id": "a\\u0000b"}', "U+0000"),
        ('{"id": "\\ud800"}', "lone surrogate"),
        ('{"data": ' + "[" * 70 + "]" * 70 + "}", "nested deeper"),
        ("[" * 100_000, "nested deeper"),
        (b"\xff\xfe{}", "UTF-8"),
        ("1" * 5000, "malformed JSON"),
    ],
)
def test_an_unreadable_body_is_400_and_nothing_is_stored(
    api: Api, acme: TenantRef, body: str | bytes, said: str
) -> None:
    answer = send_raw(api, body)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["detail"]
    assert stored(acme) == 0


def test_what_is_too_big_is_413_and_nothing_is_stored(api: Api, acme: TenantRef) -> None:
    many = api.post("events", [booking(str(n)) for n in range(1001)])
    large = api.post("events", booking(note="x" * 300_000))
    large_in_batch = api.post("events", [booking("1"), booking("2", note="x" * 300_000)])
    huge = send_raw(api, b" " * (10 * 1024 * 1024 + 1))
    chunked = api.post(
        "events",
        data=(b" " * 1_000_000 for _ in range(11)),
        headers={"Content-Type": "application/json"},
    )
    assert [a.status_code for a in (many, large, large_in_batch, huge, chunked)] == [413] * 5
    assert large_in_batch.json()["errors"][0]["pointer"] == "#/1"
    assert stored(acme) == 0


def test_another_content_type_is_415(api: Api, acme: TenantRef) -> None:
    assert send_raw(api, "{}", "text/plain").status_code == 415
    assert stored(acme) == 0


def test_a_batch_keeps_the_good_and_tells_of_the_bad(api: Api, acme: TenantRef) -> None:
    answer = api.post("events", [booking("1"), booking("2", type="martian.landed"), 5])
    assert answer.status_code == 202
    body = answer.json()
    assert (body["accepted"], body["rejected"]) == (1, 2)
    assert body["results"][1]["errors"][0]["pointer"] == "#/type"
    assert body["results"][2]["errors"][0]["pointer"] == "#"
    assert stored(acme) == 2


def test_a_key_opens_its_own_tenant_only(
    api: Api, acme: TenantRef, harbor: TenantRef, web: str, key_of: Callable[..., str]
) -> None:
    api.session.headers["Host"] = "harbor.localhost"
    assert api.post("events", booking()).status_code == 403
    api.session.headers["Host"] = "localhost"
    assert api.post("events", booking()).status_code == 202
    api.session.headers["Authorization"] = "Bearer pms_000000000000_nope"
    assert api.post("events", booking("2")).status_code == 401
    del api.session.headers["Authorization"]
    assert api.post("events", booking("2")).status_code == 401
    assert (stored(acme), stored(harbor)) == (2, 1)  # harbor sees the shared arrival only
    reader = Api(web, acme, key_of(acme, scopes=["events:read"]))
    assert reader.post("events", booking("2")).status_code == 403
    assert reader.get("events").status_code == 200


def test_an_event_of_another_tenant_is_not_found(
    api: Api, harbor: TenantRef, api_of: Callable[..., Api]
) -> None:
    uid = api.post("events", booking()).json()["results"][0]["uid"]
    other = api_of(harbor)
    assert other.get(f"events/{uid}").status_code == 404
    assert other.get("events").json()["results"] == []


def test_the_list_is_filtered_and_paged(api: Api) -> None:
    api.post("events", [booking(str(n), subject=f"s{n}") for n in range(3)])
    api.post("events", {"id": "c", "source": "other", "type": "custom.a", "data": {}})
    first = api.get("events", limit=3).json()
    assert [e["id"] for e in first["results"]] == ["c", "2", "1"]
    rest = api.session.get(first["next"].replace("acme.localhost", api.base_url[7:]), timeout=10)
    assert [e["id"] for e in rest.json()["results"]] == ["0"]
    assert [e["id"] for e in api.get("events", type="custom.*").json()["results"]] == ["c"]
    assert [e["id"] for e in api.get("events", subject="s1").json()["results"]] == ["1"]
    assert len(api.get("events", state="accepted").json()["results"]) == 4
    assert api.get("events", state="done").json()["results"] == []
    assert api.get("events", state="nonsense").status_code == 422
    assert api.get("events", type="bad type").status_code == 422


def test_the_catalogue_shows_schema_and_example(api: Api) -> None:
    shown = api.get("event-types/booking.created").json()
    assert shown["example"] == BOOKING
    assert "external_ref" in shown["schema"]["required"]
    assert api.get("event-types/martian.landed").status_code == 404
    names = [entry["type"] for entry in api.get("event-types").json()["results"]]
    assert names == sorted(names)
    assert "booking.created" in names


def test_an_import_goes_behind_live_traffic_with_all_that_comes_of_it(
    api: Api, acme: TenantRef, run_all: Callable[..., int]
) -> None:
    assert api.post("events?lane=bulk", [booking("1"), booking("2")]).status_code == 202
    assert set(Arrival.objects.values_list("lane", flat=True)) == {Lane.BULK}

    def tell(payload: Any, context: Context) -> None:
        if context.event.type == "booking.created":
            child = Envelope(id=context.event.id, source="child", type="custom.child", data={})
            publish_many([child])

    with handler(tell, types=("booking.*", "custom.*")) as seen:
        run_all()
    assert {context.event.type for context in seen} == {"booking.created", "custom.child"}
    assert {context.is_bulk for context in seen} == {True}


def test_an_unknown_lane_is_refused(api: Api, acme: TenantRef) -> None:
    answer = api.post("events?lane=fast", booking())
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/lane")
    assert stored(acme) == 0


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
def test_a_time_at_the_end_of_all_times_is_rejected(api: Api, acme: TenantRef, time: str) -> None:
    answer = api.post("events", booking(time=time))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/time")
    assert stored(acme) == 0


def test_a_packed_body_is_415(api: Api, acme: TenantRef) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert api.post("events", data=b"{}", headers=headers).status_code == 415
    assert stored(acme) == 0
