"""Numbers that a browser or a hostile caller sends."""

import pytest

from apps.web.numbers import read_whole


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("007", 7), ("9" * 18, 10**18 - 1),
        ("", None), (None, None), ("-1", None), ("1.5", None), ("x", None), ("9" * 19, None),
        ("9" * 5000, None),
    ],
)  # fmt: skip
def test_a_number_is_read_or_is_none(text: str | None, number: int | None) -> None:
    assert read_whole(text) == number
