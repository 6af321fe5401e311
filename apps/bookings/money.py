"""Splitting a booking's total over its stays."""

from collections.abc import Sequence


def split(total: int, nights: Sequence[int]) -> list[int]:
    """Split an amount in minor units by nights; the last takes the rest, so nothing is lost."""
    whole = sum(nights)
    parts = [total * n // whole for n in nights[:-1]]
    return [*parts, total - sum(parts)]
