"""The edge that all share: problems, health, documentation without a CDN."""

import re
from collections.abc import Callable

import jsonschema
import requests

from apps.tenants.entering import TenantRef
from tests.conftest import Api

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {"status": {"type": "integer"}, "errors": {"type": "array"}},
}


def test_every_error_is_a_problem(
    web: str, acme: TenantRef, api_of: Callable[..., Api], key_of: Callable[..., str]
) -> None:
    api = api_of(acme)
    answers = {
        401: requests.get(f"{web}/api/v1/events", timeout=10),
        403: Api(web, acme, key_of(acme, scopes=["events:read"])).get("endpoints"),
        404: api.get("events/00000000-0000-0000-0000-000000000000"),
        405: api.delete("events"),
        400: api.post("replays", data="{", headers={"Content-Type": "application/json"}),
        422: api.post("replays", {"rate": "fast"}),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        jsonschema.validate(answer.json(), PROBLEM)
        assert answer.json()["status"] == status
    nowhere = requests.get(f"{web}/api/v1/nowhere", timeout=10)
    unknown_host = requests.get(f"{web}/readyz", headers={"Host": "evil.localhost"}, timeout=10)
    for answer in (nowhere, unknown_host):
        assert (answer.status_code, answer.headers["Content-Type"]) == (
            404,
            "application/problem+json",
        )
    assert answers[401].headers["WWW-Authenticate"] == "Bearer"


def test_health_readiness_and_metrics_answer(web: str, acme: TenantRef) -> None:
    assert requests.get(f"{web}/healthz", timeout=10).text == "ok\n"
    ready = requests.get(f"{web}/readyz", timeout=10)
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert ready.json()["parts"]["database"]["ok"] is True
    assert 'pms_part_ok{part="database"} 1.0' in requests.get(f"{web}/metrics", timeout=10).text


def test_the_description_is_openapi_3_1_and_its_page_needs_no_other_host(
    web: str, acme: TenantRef
) -> None:
    described = requests.get(f"{web}/api/v1/schema/?format=json", timeout=20).json()
    assert described["openapi"].startswith("3.1")
    assert described["components"]["securitySchemes"]["ApiKey"]["scheme"] == "bearer"
    for path in ("events", "dead-letters", "replays", "endpoints", "calendar", "bookings"):
        assert f"/api/v1/{path}" in described["paths"]
    page = requests.get(f"{web}/api/v1/docs/", timeout=10).text
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert sources
    assert [s for s in sources if s.startswith(("http", "//"))] == []
    for source in sources:
        assert requests.get(f"{web}{source}", timeout=10).status_code == 200
