"""The pure decisions about nights, over all small calendars."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from apps.calendars.overlaps import Claim, is_in_conflict, keeps_place, shared_nights

FIRST = date(2027, 6, 1)


@st.composite
def claims(draw: st.DrawFn, place: int = 1) -> Claim:
    start, nights = draw(st.integers(0, 12)), draw(st.integers(1, 6))
    return Claim(
        place=place,
        unit_id=draw(st.integers(1, 2)),
        arrival=FIRST + timedelta(days=start),
        departure=FIRST + timedelta(days=start + nights),
        booking_ref=f"B{place}",
    )


queues = st.integers(1, 6).flatmap(lambda n: st.tuples(*[claims(place) for place in range(n)]))


@given(one=claims(), other=claims())
def test_sharing_is_mutual_and_within_both(one: Claim, other: Claim) -> None:
    shared = shared_nights(one, other)
    assert shared == shared_nights(other, one)
    assert all(one.arrival <= night < one.departure for night in shared)
    assert all(other.arrival <= night < other.departure for night in shared)


@given(claim=claims(), nights=st.integers(1, 5))
def test_back_to_back_shares_nothing(claim: Claim, nights: int) -> None:
    following = Claim(
        place=2,
        unit_id=claim.unit_id,
        arrival=claim.departure,
        departure=claim.departure + timedelta(days=nights),
        booking_ref="next",
    )
    assert shared_nights(claim, following) == frozenset()


@given(queue=queues)
def test_stays_without_conflict_never_share_a_night(queue: tuple[Claim, ...]) -> None:
    holders = sorted(
        (claim for claim in queue if not is_in_conflict(claim, queue)),
        key=lambda claim: (claim.unit_id, claim.arrival),
    )
    for one, following in pairwise(holders):
        assert not shared_nights(one, following)


@given(queue=queues)
def test_of_every_overlapping_pair_one_is_in_conflict(queue: tuple[Claim, ...]) -> None:
    for one in queue:
        for other in queue:
            if one.place < other.place and shared_nights(one, other):
                assert is_in_conflict(other, queue)


@given(before=claims(), others=st.lists(claims(place=9)))
def test_a_stay_that_did_not_move_keeps_its_place(before: Claim, others: list[Claim]) -> None:
    assert keeps_place(before, before, others=others)
