"""Cursors: they come from outside, so anybody may write one."""

from base64 import b64encode
from collections.abc import Callable

import pytest

from apps.tenants.entering import TenantRef
from tests.conftest import Api

LISTS = [
    "events", "dead-letters", "replays", "properties", "units", "bookings", "calendar",
    "calendar/availability", "cleaning-tasks", "endpoints", "reports/occupancy",
]  # fmt: skip
POSITIONS = [b"p=1", b"p=%00", b"p=2026-01", b"p=", b"p=0001-01-01T00:00:00%2B23:59", b"o=-1",
             b"p=99999999999999999999999999"]  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_that_no_list_gave_out_breaks_nothing(
    acme: TenantRef, api_of: Callable[..., Api], path: str
) -> None:
    api = api_of(acme)
    for cursor in ("xyz", "é", "older:x", *(b64encode(p).decode() for p in POSITIONS)):
        answer = api.get(path, cursor=cursor)
        assert answer.status_code in (200, 422), (path, cursor, answer.text[:300])
        if answer.status_code == 422:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["errors"][0]["pointer"] == "#/cursor"


@pytest.mark.parametrize("path", LISTS)
def test_every_list_has_the_same_shape(
    acme: TenantRef, api_of: Callable[..., Api], path: str
) -> None:
    assert set(api_of(acme).get(path).json()) == {"results", "next", "previous"}
