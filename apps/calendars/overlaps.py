"""Which stays claim the same nights: pure decisions over what a unit's calendar holds.

Stays queue for nights by `place`: the earlier holds them, a later one that overlaps it is in
conflict. A stay keeps its place while it overlaps no more stays than before.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Nights [arrival, departure) of a unit that a stay claims, and its place in the queue."""

    place: int
    unit_id: int
    arrival: date
    departure: date
    booking_ref: str


def shared_nights(one: Claim, other: Claim) -> frozenset[date]:
    """The nights that both claim; none when they are in different units."""
    if one.unit_id != other.unit_id:
        return frozenset()
    start = max(one.arrival, other.arrival)
    days = (min(one.departure, other.departure) - start).days
    return frozenset(start + timedelta(days=n) for n in range(days))


def is_in_conflict(claim: Claim, among: Iterable[Claim]) -> bool:
    """Tell whether an earlier claim overlaps this one."""
    return any(other.place < claim.place and shared_nights(claim, other) for other in among)


def keeps_place(before: Claim, after: Claim, *, others: Iterable[Claim]) -> bool:
    """Tell whether a changed claim stays where it is in the queue: it overlaps nobody new."""
    return before.unit_id == after.unit_id and all(
        shared_nights(before, other) for other in others if shared_nights(after, other)
    )


def new_nights(before: Claim | None, after: Claim, other: Claim) -> frozenset[date]:
    """The nights that `after` shares with another claim and `before` did not."""
    already = shared_nights(before, other) if before else frozenset()
    return shared_nights(after, other) - already
