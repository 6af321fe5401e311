"""A decision as a value: what to do with dead letters, why, and who says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.fallback.caring import assign, comment, find_assignee
from apps.fallback.models import BulkAction, DeadLetter
from apps.fallback.operations import AlreadyDecided, NoteMissing, discard, retry

ACTIONS = ("retry", "discard", "assign", "comment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to do: one of `ACTIONS`. `assignee` is for `assign`; "" is nobody."""

    action: str
    actor: str
    note: str = ""
    assignee: str = ""

    def check(self) -> None:
        """Raises: NoteMissing, UnknownAssignee; before anything is touched."""
        if self.action in ("discard", "comment") and not self.note.strip():
            raise NoteMissing(
                "Say in the note why these are discarded."
                if self.action == "discard"
                else "A comment says something."
            )
        self.check_people()

    def check_people(self) -> None:
        """Raises: UnknownAssignee. A look at what would be done needs no note yet."""
        if self.action == "assign":
            find_assignee(self.assignee)


def carry_out(
    order: Order, dead_letters: Sequence[DeadLetter], *, now: datetime, bulk: BulkAction | None = None
) -> int:  # fmt: skip
    """Do it to those of them that are still open; gives how many. In one transaction."""
    if not dead_letters:
        return 0
    try:
        if order.action == "assign":
            return assign(
                dead_letters, to=order.assignee, actor=order.actor, note=order.note, now=now,
                bulk=bulk,
            )  # fmt: skip
        act = {"retry": retry, "discard": discard, "comment": comment}[order.action]
        return act(dead_letters, actor=order.actor, note=order.note, now=now, bulk=bulk)
    except AlreadyDecided:
        return 0  # the one that was left of them; whoever counts sees that it was left out
