"""Which revision is newer: a strict order, whatever a source sends."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.bookings.revisions import RevisionKey, is_newer, number_of

START = datetime(2027, 1, 1, tzinfo=UTC)
times = st.integers(0, 3).map(lambda minutes: START + timedelta(minutes=minutes))
refs = st.sampled_from(["", "1", "2", "10", "a", "b"])
unnumbered = st.builds(RevisionKey, is_creation=st.booleans(), number=st.none(), at=times, ref=refs)
numbered = st.builds(
    RevisionKey, is_creation=st.booleans(), number=st.integers(0, 3), at=times, ref=refs
)
keys = unnumbered | numbered


def newest(arrivals: tuple[RevisionKey, ...]) -> RevisionKey:
    """The revision that is applied in the end, when they arrive in this order."""
    applied = arrivals[0]
    for key in arrivals[1:]:
        if is_newer(key, than=applied):
            applied = key
    return applied


def rank(key: RevisionKey) -> tuple[object, ...]:
    """What a numbered revision is judged by."""
    return (key.is_creation, key.number)


@given(key=keys)
def test_the_same_revision_is_not_newer_than_itself(key: RevisionKey) -> None:
    assert not is_newer(key, than=key)


@given(one=keys, other=keys)
def test_no_two_revisions_are_newer_than_each_other(one: RevisionKey, other: RevisionKey) -> None:
    assert not (is_newer(one, than=other) and is_newer(other, than=one))


@given(creation=keys, change=keys)
def test_a_creation_is_never_newer_than_a_change(
    creation: RevisionKey, change: RevisionKey
) -> None:
    if creation.is_creation and not change.is_creation:
        assert not is_newer(creation, than=change)
        assert is_newer(change, than=creation)


@given(revisions=st.lists(unnumbered, min_size=1, max_size=4))
def test_the_order_of_arrival_does_not_matter(revisions: list[RevisionKey]) -> None:
    ends = {newest(order) for order in permutations(revisions)}
    assert len(ends) == 1


@given(revisions=st.lists(numbered, min_size=1, max_size=4))
def test_the_order_of_arrival_does_not_matter_to_numbers(revisions: list[RevisionKey]) -> None:
    ends = {rank(newest(order)) for order in permutations(revisions)}
    assert len(ends) == 1


@pytest.mark.parametrize(
    ("candidates", "number"),
    [
        ((7, "3"), 7),
        (("7", None), 7),
        ((None, "12"), 12),
        (("rev-7", "12"), 12),
        ((None, "rev-7"), None),
        ((None, None), None),
        ((2**63, None), None),
        ((2**63, "7"), 7),
        (("9" * 19, "7"), 7),
        (("9" * 19, None), None),
        (("٣", None), None),
    ],
)
def test_a_revision_number_is_an_integer_or_digits_that_fit(
    candidates: tuple[object, ...], number: int | None
) -> None:
    assert number_of(*candidates) == number
