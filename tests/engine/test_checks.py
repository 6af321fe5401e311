"""The order of the timeouts, looked at when anything starts."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from apps.engine.checks import check_timeouts


def test_the_timeouts_are_in_order() -> None:
    assert check_timeouts(None) == []


@pytest.mark.parametrize("name", ["HTTP", "SMTP"])
def test_talk_that_may_last_longer_than_a_handler_is_refused(settings: Settings, name: str) -> None:
    setattr(settings, f"{name}_TIMEOUT", timedelta(seconds=30))
    (error,) = check_timeouts(None)
    assert error.id == "engine.E002"
    assert error.msg.startswith(f"PMS_{name}_TIMEOUT_SECONDS is 30 s and must be shorter than the")
