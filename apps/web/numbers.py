"""Whole numbers as an address or a form brings them."""

_MOST_DIGITS = 18  # fits a bigint; Python itself refuses to read some thousands


def read_whole(text: str | None) -> int | None:
    """Read a number from 0 on; None when it is none, or too large to be anybody's key or count."""
    return int(text) if text and text.isdecimal() and len(text) <= _MOST_DIGITS else None
