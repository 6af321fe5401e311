"""Errors that no view writes: they are problems all the same, in debug mode too."""

import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from apps.tenants.entering import TenantRef
from tests.conftest import Api
from tests.processes import free_port, start_web


def assert_problem(answer: requests.Response, status: int) -> None:
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        status,
        "application/problem+json",
    )
    assert answer.json()["status"] == status


@pytest.mark.parametrize("path", ["/nowhere", "//api/v1/events", "/api/v1/%ff", "/favicon.ico"])
def test_an_address_that_does_not_exist_is_a_problem(web: str, acme: TenantRef, path: str) -> None:
    assert_problem(requests.get(f"{web}{path}", timeout=10), 404)


def test_people_in_the_admin_get_pages(web: str, acme: TenantRef) -> None:
    page = requests.post(f"{web}/admin/login/", timeout=10)
    assert page.status_code == 403
    assert page.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_another_method_than_reading_is_405(
    web: str, acme: TenantRef, path: str, method: str
) -> None:
    answer = requests.request(method, f"{web}{path}", timeout=10)
    assert_problem(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/api/v1/docs/", "/api/v1/schema/"])
def test_views_that_write_no_json_refuse_in_json(web: str, acme: TenantRef, path: str) -> None:
    assert_problem(requests.post(f"{web}{path}", timeout=10), 405)


def test_options_of_the_documentation_is_405(web: str, acme: TenantRef) -> None:
    assert_problem(requests.options(f"{web}/api/v1/docs/", timeout=10), 405)


@pytest.mark.parametrize(
    "path",
    [
        "properties/%00",
        "units/%00",
        "bookings/a:%00",
        "bookings/²",
        "event-types/%00",
        "events/%00",
    ],
)
def test_an_id_that_cannot_be_is_not_found(api_of: Callable[..., Api], acme: TenantRef, path: str) -> None:  # fmt: skip
    assert_problem(api_of(acme).get(path), 404)


def test_what_is_not_found_is_told_without_our_tables_names(
    api_of: Callable[..., Api], acme: TenantRef
) -> None:
    answer = api_of(acme).get("dead-letters/00000000-0000-0000-0000-000000000000")
    assert_problem(answer, 404)
    assert "DeadLetter" not in answer.text


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, b"\x16\x03\x01\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        (414, b"GET /api/v1/events?subject=" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n"),
    ],
)
def test_what_is_no_request_is_a_problem(web: str, status: int, said: bytes) -> None:
    address = urlsplit(web)
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        client.sendall(said)
        answer = client.recv(4096)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Content-Type: application/problem+json" in answer


def test_the_longest_filter_fits_into_an_address(
    api_of: Callable[..., Api], acme: TenantRef
) -> None:
    longest = "é" * 255
    answer = api_of(acme).get("events", subject=longest, source=longest, text=longest)
    assert (answer.status_code, answer.json()["results"]) == (200, [])


def test_without_a_database_each_address_says_so_and_health_says_which_part(
    acme: TenantRef, tmp_path: Path
) -> None:
    port = free_port()
    nowhere = f"postgresql://postgres@127.0.0.1:{free_port()}/pms"
    process = start_web(tmp_path / "web.log", port=port, DATABASE_URL=nowhere)
    try:
        at = f"http://127.0.0.1:{port}"
        for answer in (
            requests.get(f"{at}/api/v1/events", timeout=10),
            requests.post(f"{at}/api/v1/events", json={}, timeout=10),
        ):
            assert_problem(answer, 503)
            assert answer.headers["Retry-After"] == "5"
        ready = requests.get(f"{at}/readyz", timeout=10)
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert ready.json()["parts"]["database"]["ok"] is False
        assert ready.json()["parts"]["broker"]["ok"] is True
        metrics = requests.get(f"{at}/metrics", timeout=10)
        assert metrics.status_code == 200
        assert 'pms_part_ok{part="database"} 0.0' in metrics.text
        assert requests.get(f"{at}/healthz", timeout=10).status_code == 200
    finally:
        process.kill()
