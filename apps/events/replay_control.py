"""What people do with a replay under way: pause, resume, cancel; each noted with who and why.

A change waits for the step that runs at that moment, if there is one; the next finds the new state.
What was handed to the workers before runs on: a replay is stopped, not undone.
"""

from datetime import datetime

from django.db import transaction

from apps.dispatch.operations import end_chore, set_chore
from apps.events.models import Replay, ReplayNote, ReplayState
from apps.events.replaying import KIND
from apps.tenants.entering import current_tenant

_MOVES: dict[str, tuple[set[ReplayState], ReplayState]] = {
    "pause": ({ReplayState.RUNNING}, ReplayState.PAUSED),
    "resume": ({ReplayState.PAUSED}, ReplayState.RUNNING),
    "cancel": ({ReplayState.RUNNING, ReplayState.PAUSED}, ReplayState.CANCELLED),
}
VERBS = tuple(_MOVES)


class NotPossible(Exception):
    """The replay's state does not allow this, so nothing was changed."""

    def __init__(self, replay: Replay, verb: str) -> None:
        self.replay = replay
        super().__init__(
            f"Replay {replay.pk} is {replay.state}: {_PARTICIPLES[verb]} nothing was changed."
        )


_PARTICIPLES = {
    "pause": "only a running one can be paused;",
    "resume": "only a paused one can be resumed;",
    "cancel": "it has ended already;",
}


def get_moves(replay: Replay) -> list[str]:
    """Tell what can be done with a replay as it stands."""
    return [verb for verb, (before, _) in _MOVES.items() if replay.state in before]


def control_replay(replay: Replay, verb: str, *, actor: str, reason: str, now: datetime) -> Replay:
    """Pause, resume or cancel a replay; gives it as it is then. Raises: NotPossible."""
    before, after = _MOVES[verb]
    ended = {"finished_at": now} if after is ReplayState.CANCELLED else {}
    tenant = current_tenant().id
    with transaction.atomic():
        is_changed = Replay.objects.filter(pk=replay.pk, state__in=before).update(
            state=after, **ended
        )
        if is_changed:
            if after is ReplayState.RUNNING:
                set_chore(tenant_id=tenant, kind=KIND, ref=replay.pk, due_at=now)
            else:
                end_chore(tenant_id=tenant, kind=KIND, ref=replay.pk)
            ReplayNote.objects.create(
                replay=replay, action=verb, actor=actor[:150], reason=reason[:500], at=now
            )
    replay.refresh_from_db()
    if not is_changed:
        raise NotPossible(replay, verb)
    return replay
