"""What a ce- header says is percent-decoded, and may become what cannot be stored."""

from collections.abc import Callable

import pytest

from apps.events.models import Event
from apps.tenants.entering import TenantRef, entering
from tests.conftest import Api


@pytest.mark.parametrize("name", ["ce-subject", "ce-note", "ce-dataschema"])
def test_a_nul_in_a_header_is_refused_with_a_pointer(
    acme: TenantRef, api_of: Callable[..., Api], name: str
) -> None:
    headers = {
        "ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "custom.a",
        "Content-Type": "application/json", name: "a%00b",
    }  # fmt: skip
    answer = api_of(acme).post("events", data=b"{}", headers=headers)
    assert answer.status_code == 422
    pointer = f"#/{name.removeprefix('ce-')}"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    with entering(acme):
        assert Event.objects.count() == 0
