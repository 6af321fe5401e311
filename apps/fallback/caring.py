"""What a person notes about a dead letter without deciding it: who looks after it, and comments."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from apps.fallback.models import BulkAction, DeadLetter, DeadLetterState
from apps.fallback.operations import AlreadyDecided, NoteMissing, record_review


class UnknownAssignee(ValueError):
    """Nobody of that name works here, so nothing was assigned."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"No active user of this tenant is named '{name}': nothing was assigned.")


class AssignedMeanwhile(Exception):
    """Somebody else assigned it since the person looked: nothing was changed."""

    def __init__(self, dead_letter: DeadLetter) -> None:
        who = dead_letter.assignee.get_username() if dead_letter.assignee else "nobody"
        super().__init__(f"This was assigned to {who} meanwhile: nothing was changed.")


def get_assignees() -> QuerySet[User]:
    """Give the people of the current tenant whom a dead letter can be assigned to."""
    return get_user_model().objects.filter(is_active=True).order_by("username")


def find_assignee(name: str) -> User | None:
    """Find a person of the current tenant by user name; "" is nobody. Raises: UnknownAssignee."""
    if not name:
        return None
    found = get_assignees().filter(username=name).first()
    if found is None:
        raise UnknownAssignee(name)
    return found


def assign(
    dead_letters: Sequence[DeadLetter], *, to: str, actor: str, note: str = "", now: datetime,
    bulk: BulkAction | None = None,
) -> int:  # fmt: skip
    """Have a person look after open dead letters; `to` is a user name, "" takes them from everybody.

    Gives how many. Raises: UnknownAssignee; of one alone AlreadyDecided when it is not open, and
    AssignedMeanwhile when its assignee is not the one that `dead_letters` says.
    """
    assignee = find_assignee(to)
    with transaction.atomic():
        is_open = DeadLetter.objects.filter(
            pk__in=[d.pk for d in dead_letters], state=DeadLetterState.OPEN
        )
        ours = list(is_open.order_by("pk").select_for_update())
        if len(dead_letters) == 1:
            _assert_as_seen(dead_letters[0], ours)
        DeadLetter.objects.filter(pk__in=[d.pk for d in ours]).update(assignee=assignee)
        said = f"to {to or 'nobody'}" + (f": {note}" if note else "")
        record_review(ours, "assign", actor=actor, note=said, now=now, bulk=bulk)
    return len(ours)


def comment(
    dead_letters: Sequence[DeadLetter], *, actor: str, note: str, now: datetime,
    bulk: BulkAction | None = None,
) -> int:  # fmt: skip
    """Keep a remark with dead letters, decided ones too; gives how many. Raises: NoteMissing."""
    if not note.strip():
        raise NoteMissing("A comment says something.")
    record_review(dead_letters, "comment", actor=actor, note=note, now=now, bulk=bulk)
    return len(dead_letters)


def _assert_as_seen(seen: DeadLetter, ours: Sequence[DeadLetter]) -> None:
    if not ours:
        raise AlreadyDecided(DeadLetter.objects.get(pk=seen.pk))
    if ours[0].assignee_id != seen.assignee_id:
        raise AssignedMeanwhile(ours[0])
