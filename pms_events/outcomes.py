"""What a handler may answer. Anything it raises is retried, save `PermanentError`."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Done:
    """The handler did its work. `note` is shown with the delivery; keep guest data out of it."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Snooze:
    """Not yet: look again after `delay`. Uses no attempt."""

    delay: timedelta
    note: str = ""


@dataclass(frozen=True, slots=True)
class Discard:
    """There is nothing to do, ever: the delivery ends as discarded. `note` says why."""

    note: str


Outcome = Done | Snooze | Discard | None
"""What a handler returns; None is `Done()`."""
