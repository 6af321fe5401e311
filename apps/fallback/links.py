"""What the event log shows of dead letters."""

from collections.abc import Iterator

from django.urls import reverse

from apps.fallback.models import DeadLetter, DeadLetterState
from apps.fallback.sentences import describe_each
from apps.web.links import About, Exhibit

_MOST = 50


def find_dead_letters(about: About) -> Iterator[Exhibit]:
    """Tell which deliveries of an event needed a person, and what was decided."""
    letters = list(DeadLetter.objects.filter(event_uid=about.uid).order_by("-died_at")[:_MOST])
    sentences = describe_each(letters)
    for letter in letters:
        facts = [("Reason", letter.reason), ("State", str(DeadLetterState(letter.state).label))]
        if letter.decided_by:
            facts.append(("Decided by", letter.decided_by))
        if letter.note:
            facts.append(("Note", letter.note))
        yield Exhibit(
            delivery_id=letter.delivery_id,
            title=f"Dead letter: {sentences[letter.pk]}",
            url=reverse("admin:fallback_deadletter_change", args=[letter.pk]),
            at=letter.died_at,
            is_bad=letter.state == DeadLetterState.OPEN,
            facts=facts,
        )
