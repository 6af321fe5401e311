"""Splitting a total over stays: to the minor unit, nothing lost."""

from hypothesis import given
from hypothesis import strategies as st

from apps.bookings.money import split

amounts = st.integers(-(10**12), 10**12)
stays = st.lists(st.integers(1, 1000), min_size=1, max_size=100)


@given(total=amounts, nights=stays)
def test_the_parts_add_up_to_the_total(total: int, nights: list[int]) -> None:
    assert sum(split(total, nights)) == total


@given(total=amounts, nights=stays)
def test_each_part_but_the_last_is_within_one_of_its_due(total: int, nights: list[int]) -> None:
    for part, n in list(zip(split(total, nights), nights, strict=True))[:-1]:
        assert 0 <= total * n - part * sum(nights) < sum(nights)


def test_the_remainder_is_on_the_last() -> None:
    assert split(100, [1, 1, 1]) == [33, 33, 34]
