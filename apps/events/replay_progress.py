"""How far a replay has come: what it handed over, and what became of the deliveries it made."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.events.models import Delivery, DeliveryState, Replay, ReplayState

MOST_COUNTED = 10_000
_SETTLING = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`ended`: deliveries by end state; a count of `MOST_COUNTED` means that many or more."""

    percent: int
    left: timedelta | None
    ended: list[tuple[str, int]]
    is_moving: bool


def get_progress(replay: Replay, *, now: datetime) -> Progress:
    """Tell the progress of a replay; `is_moving` while its figures may still change."""
    share = replay.replayed / replay.total if replay.total else 1.0
    missing = max(0, replay.total - replay.replayed)
    is_running = replay.state == ReplayState.RUNNING
    is_settling = replay.finished_at is None or now - replay.finished_at < _SETTLING
    return Progress(
        percent=100 if replay.state == ReplayState.DONE else min(99, int(share * 100)),
        left=timedelta(seconds=missing / replay.rate) if replay.rate and is_running else None,
        ended=[(state.value, _count(replay, state)) for state in DeliveryState],
        is_moving=is_settling,
    )


def _count(replay: Replay, state: DeliveryState) -> int:
    """Count by the index over replay and state, and stop: the page is asked for every second."""
    return Delivery.objects.filter(replay_id=replay.pk, state=state)[:MOST_COUNTED].count()
