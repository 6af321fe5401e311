"""When a failed delivery runs again: exponential backoff with full jitter."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often and how soon a handler is tried.

    attempts: runs in all, the first included. first: the ceiling of the first wait.
    factor: how much the ceiling grows with each failure. ceiling: where it stops growing.
    """

    attempts: int = 8
    first: timedelta = timedelta(seconds=2)
    factor: float = 3.0
    ceiling: timedelta = timedelta(minutes=30)

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"Retry.attempts is {self.attempts}: give at least 1")
        if self.first <= timedelta(0) or self.ceiling < self.first or self.factor < 1:
            raise ValueError("Retry needs 0 < first <= ceiling and factor >= 1")

    def delay(self, failures: int, *, random: Callable[[], float]) -> timedelta:
        """Draw the wait after the n-th failure (n >= 1), evenly between 0 and the grown ceiling.

        Full jitter, because equal waits bring all clients of a broken outside back at once.
        `random` gives a number in [0, 1).
        """
        limit = self.ceiling.total_seconds()
        # The exponent is bounded so that a huge failure count cannot overflow a float.
        grown = min(limit, self.first.total_seconds() * self.factor ** min(failures - 1, 64))
        return timedelta(seconds=grown * random())
