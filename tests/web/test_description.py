"""The OpenAPI description says what is really answered: answers are checked against it."""

from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import requests

from apps.tenants.entering import TenantRef
from tests.bookings.facts import make_units, state, stay, tell
from tests.conftest import Api

Run = Callable[..., int]
EVENT = {"id": "1", "source": "s", "type": "custom.a", "data": {}}


@pytest.fixture
def described(web: str, acme: TenantRef) -> dict[str, Any]:
    answer = requests.get(f"{web}/api/v1/schema/?format=json", timeout=30)
    described: dict[str, Any] = answer.json()
    return described


@pytest.fixture
def api(acme: TenantRef, run_all: Run, api_of: Callable[..., Api]) -> Api:
    """A tenant with bookings, a conflict, cleans, figures, a dead letter, an endpoint, a replay."""
    make_units(acme, "101", "102")
    tell(acme, state("A", stay("1", "101", 1, 3)), state("B", stay("1", "101", 2, 4)))
    tell(acme, state("C", stay("1", "999", 1, 3)))
    run_all()
    api = api_of(acme)
    api.post("events", EVENT)
    dead = api.get("dead-letters").json()["results"][0]["id"]
    api.post(f"dead-letters/{dead}/comment", {"note": "looked at"})
    api.post("endpoints", {"url": "https://example.com/"})
    api.post("connections", {"name": "Front desk"})
    api.post("pauses", {"category": "messaging"})
    api.post("replays", {"filter": {"type": "custom.*"}, "rate": 5, "reason": "a test"})
    return api


def check(described: dict[str, Any], path: str, answer: requests.Response) -> Any:
    """Check an answer against the description of its operation and status; gives its body."""
    method = str(answer.request.method).lower()
    operation = described["paths"][f"/api/v1/{path}"][method]
    answers = operation["responses"]
    told = answers.get(str(answer.status_code)) or answers["default"]
    (content_type, content), *_ = told["content"].items()
    assert answer.headers["Content-Type"] == content_type
    schema = {**content["schema"], "components": described["components"]}
    jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(answer.json())
    return answer.json()


LISTS = {
    "events": "uid", "dead-letters": "id", "event-types": "type", "replays": "id",
    "properties": "id", "units": "id", "bookings": "id", "cleaning-tasks": "id", "endpoints": "id", "connections": "id",
}  # fmt: skip
OTHERS = ["calendar", "calendar/availability", "reports/occupancy", "dead-letters/groups", "pauses",
          "stats"]  # fmt: skip


@pytest.mark.parametrize(("path", "key"), LISTS.items())
def test_a_list_and_one_of_it_are_as_described(
    described: dict[str, Any], api: Api, path: str, key: str
) -> None:
    rows = check(described, path, api.get(path))["results"]
    assert rows
    parts = described["paths"]
    (detail,) = [p for p in parts if p.startswith(f"/api/v1/{path}/{{") and p.endswith("}")]
    for row in rows[:5]:
        one = api.get(f"{path}/{row[key]}")
        assert one.status_code == 200
        check(described, detail.removeprefix("/api/v1/"), one)


@pytest.mark.parametrize("path", OTHERS)
def test_other_answers_are_as_described(described: dict[str, Any], api: Api, path: str) -> None:
    body = check(described, path, api.get(path))
    assert body.get("results", body)


def test_what_is_taken_in_is_answered_as_described(described: dict[str, Any], api: Api) -> None:
    bad = {**EVENT, "type": "martian.landed"}
    for body, status in (
        ({**EVENT, "id": "2"}, 202),
        ([EVENT, {**EVENT, "data": {"a": 1}}, bad, 5], 202),
        (bad, 422),
        ({**EVENT, "data": {"a": 1}}, 409),
    ):
        answer = api.post("events", body)
        assert answer.status_code == status
        check(described, "events", answer)


def test_a_dry_run_of_a_replay_is_answered_as_described(
    described: dict[str, Any], api: Api
) -> None:
    answer = api.post("replays", {"filter": {}, "dry_run": True})
    assert check(described, "replays", answer)["samples"]


def test_no_answer_of_a_resource_is_a_bare_object(described: dict[str, Any], api: Api) -> None:
    bare = []
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                for content in answer.get("content", {}).values():
                    schema = content["schema"]
                    if not schema.get("$ref") and not schema.get("properties"):
                        bare.append((path, method, status))
    assert [b for b in bare if b[0] != "/api/v1/schema/"] == []


def test_strict_input_is_described_as_such(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    for name in ("ReplayRequest", "EventFilter", "Bulk", "Discard", "Retry"):
        assert schemas[name]["additionalProperties"] is False


def test_every_refusal_is_described_as_a_problem(described: dict[str, Any]) -> None:
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            content = operation["responses"]["default"]["content"]
            assert list(content) == ["application/problem+json"], (path, method)
