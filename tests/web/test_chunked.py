"""Bodies of unknown length: read whole, or refused; never taken for no body at all."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from apps.events.models import Replay
from apps.tenants.entering import TenantRef, entering
from tests.conftest import Api

JSON = {"Content-Type": "application/json"}


def chunks(value: Any) -> Iterator[bytes]:
    """A body that `requests` sends in chunks, because its length is not known."""
    yield json.dumps(value).encode()


def test_a_chunked_wish_for_a_dry_run_starts_no_replay(
    acme: TenantRef, api_of: Callable[..., Api]
) -> None:
    wish = {"filter": {"type": "custom.a"}, "dry_run": True}
    answer = api_of(acme).post("replays", data=chunks(wish), headers=JSON)
    assert (answer.status_code, answer.json()["total"]) == (200, 0)
    with entering(acme):
        assert not Replay.objects.exists()


def test_a_chunked_event_is_taken_in(acme: TenantRef, api_of: Callable[..., Api]) -> None:
    event = {"id": "1", "source": "s", "type": "custom.a", "data": {}}
    answer = api_of(acme).post("events", data=chunks(event), headers=JSON)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


def test_a_large_chunked_body_is_413_everywhere(
    acme: TenantRef, api_of: Callable[..., Api]
) -> None:
    parts = (b" " * 1_000_000 for _ in range(11))
    answer = api_of(acme).post("replays", data=parts, headers=JSON)
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        413,
        "application/problem+json",
    )


def test_a_large_body_is_413_everywhere(acme: TenantRef, api_of: Callable[..., Api]) -> None:
    answer = api_of(acme).post("properties", data=b" " * (10 * 1024 * 1024 + 1), headers=JSON)
    assert answer.status_code == 413


def test_a_broken_chunk_is_a_400_problem(
    web: str, acme: TenantRef, key_of: Callable[..., str]
) -> None:
    address = urlsplit(web)
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        client.sendall(
            b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Authorization: Bearer " + key_of(acme).encode() + b"\r\n"
            b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n"
        )
        said = client.recv(4096)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in said
