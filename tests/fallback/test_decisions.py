"""What is decided without a database: differences, fingerprints and sentences."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.fallback.causes import fingerprint
from apps.fallback.models import DeadLetter
from apps.fallback.payload_diff import diff
from apps.fallback.sentences import describe, foresee_retry

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(before=JSON, after=JSON)
def test_applying_a_difference_to_before_gives_after(before: Any, after: Any) -> None:
    patched = {"": copy.deepcopy(before)}
    for change in diff(before, after):
        parts: list[str] = ["", *change["pointer"].split("/")[1:]]
        path, last = parts[:-1], parts[-1]
        place: Any = patched
        for part in path:
            place = place[_key(place, part)]
        if "after" in change:
            place[_key(place, last)] = change["after"]
        else:
            del place[_key(place, last)]
    assert patched[""] == after
    assert bool(diff(before, after)) == (_typed(before) != _typed(after))


def _key(place: Any, part: str) -> Any:
    name = part.replace("~1", "/").replace("~0", "~")
    return int(name) if isinstance(place, list) else name


def _typed(value: Any) -> Any:
    """Tell true from 1, which Python does not."""
    if isinstance(value, dict):
        return {name: _typed(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_typed(part) for part in value]
    return (isinstance(value, bool), value)


def test_failures_that_differ_in_ids_and_numbers_only_are_one_group() -> None:
    same = {
        fingerprint("a.b", "permanent", "KeyError", f"no unit '{unit}' in booking {number}")
        for unit, number in (("101", 1), ("102", 22))
    }
    assert len(same) == 1
    assert fingerprint("a.c", "permanent", "KeyError", "no unit '1' in booking 1") not in same


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"subject": "", "stream": "booking:333"},
            "Could not record booking 333: there is no unit",
        ),
        ({"subject": "333"}, "Could not record booking 333: there is no unit"),
        ({"target": "ep_1"}, "Could not record booking 333: there is no unit"),
        (
            {"handler": "sync.push_availability"},
            "Could not push availability for booking 333: there is no unit",
        ),
        ({"message": "'unit_id'"}, "Could not record booking 333: KeyError 'unit_id'"),
        ({"message": ""}, "Could not record booking 333: KeyError"),
        (
            {"reason": "poison", "crashes": 3},
            "Could not record booking 333: it took its worker down 3 times.",
        ),
        (
            {"reason": "unroutable"},
            "Could not handle booking 333: no handler is named 'bookings.record_booking' any more.",
        ),
        (
            {"reason": "unknown_type", "event_type": "spa.visit_booked", "subject": "7"},
            "Nobody knows 'spa.visit_booked': spa 7 was kept, and nothing was done.",
        ),
    ],
)
def test_one_sentence_says_what_happened(fields: dict[str, Any], said: str) -> None:
    usual = {
        "event_type": "booking.created",
        "subject": "333",
        "handler": "bookings.record_booking",
        "reason": "permanent",
        "error_class": "KeyError",
        "message": "there is no unit",
    }
    assert describe(DeadLetter(**{**usual, **fields})) == said


def test_a_retry_that_cannot_help_says_so() -> None:
    gone = DeadLetter(handler="nobody.nothing", reason="unroutable", event_type="custom.a")
    unknown = DeadLetter(
        handler="engine.unknown_type", reason="unknown_type", event_type="spa.visit_booked"
    )
    for dead_letter in (gone, unknown):
        assert "a retry would end here again" in foresee_retry(dead_letter, behind=0)
