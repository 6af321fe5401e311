"""Amounts in the smallest unit of their currency: splitting a total over stays, and showing it."""

from collections.abc import Sequence

# ISO 4217: how many digits follow the point, where they are not two.
_WITHOUT = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())  # noqa: SIM905
_WITH_THREE = frozenset("BHD IQD JOD KWD LYD OMR TND".split())  # noqa: SIM905


def split(total: int, nights: Sequence[int]) -> list[int]:
    """Split an amount in minor units by nights; the last takes the rest, so nothing is lost."""
    whole = sum(nights)
    parts = [total * n // whole for n in nights[:-1]]
    return [*parts, total - sum(parts)]


def show_amount(minor: int, *, currency: str) -> str:
    """Write an amount as people do: 30000 of EUR is "300.00 EUR", 500 of JPY is "500 JPY"."""
    digits = 0 if currency in _WITHOUT else 3 if currency in _WITH_THREE else 2
    return f"{minor / 10**digits:,.{digits}f} {currency}"
