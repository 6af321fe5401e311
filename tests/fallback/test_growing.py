"""`fallback.grown`: once for each level that the queue passes, not once for each dead letter."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.rounds import make_round
from apps.events.models import Event
from apps.fallback.growing import LEVELS, judge_level
from apps.fallback.models import DeadLetter, QueueLevel
from apps.fallback.operations import discard
from apps.tenants.entering import TenantRef, entering

counts = st.integers(min_value=0, max_value=20_000)


def told(tenant: TenantRef) -> list[tuple[int, int]]:
    with entering(tenant):
        found = Event.objects.filter(type="fallback.grown").order_by("recorded_at")
        return [(event.data["level"], event.data["open"]) for event in found]


@given(level=st.sampled_from([0, *LEVELS]), count=counts)
def test_a_level_is_reached_at_once_and_left_at_its_half(level: int, count: int) -> None:
    after = judge_level(level, count=count)
    assert after in (0, *LEVELS)
    assert after >= max((at for at in LEVELS if at <= count), default=0)
    assert after == 0 or 2 * count >= after
    assert judge_level(after, count=count) == after, "nothing changes without a change"


@given(level=st.sampled_from(LEVELS), counts=st.lists(counts, max_size=30))
def test_a_queue_between_half_a_level_and_the_next_tells_nothing(
    level: int, counts: list[int]
) -> None:
    for count in counts:
        assert judge_level(level, count=level // 2 + count % (9 * level)) == level


def test_a_queue_that_grows_is_told_once_and_again_only_after_it_was_worked_off(
    acme: TenantRef, harbor: TenantRef, die: Callable[..., list[DeadLetter]]
) -> None:
    now = timezone.now()
    die(harbor, "another's")
    die(acme, *map(str, range(9)))
    assert make_round(now=now) == 2
    assert told(acme) == []

    letters = die(acme, "9", "10", "11")
    for minutes in (5, 10):
        make_round(now=now + timedelta(minutes=minutes))
    assert told(acme) == [(10, 12)]
    with entering(acme):
        event = Event.objects.get(type="fallback.grown")
    assert event.data["handler"] == "bookings.record_booking"
    assert event.data["share"] == 12
    assert event.data["fingerprint"] == letters[0].fingerprint

    with entering(acme):
        discard(letters[:8], actor="ann", note="known", now=now)
    make_round(now=now + timedelta(minutes=15))
    with entering(acme):
        assert QueueLevel.objects.get().level == 0
    die(acme, *map(str, range(12, 18)))
    make_round(now=now + timedelta(minutes=20))
    assert told(acme) == [(10, 12), (10, 10)]
    assert told(harbor) == []
