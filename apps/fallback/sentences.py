"""What happened, and what a retry would do, in words for a person who does not read tracebacks."""

from collections.abc import Sequence
from uuid import UUID

from apps.fallback.models import DeadLetter
from apps.web.links import find_tasks
from pms_events.event_types import catalogue
from pms_events.handlers import Effects, handlers
from pms_events.routing import UNKNOWN_TYPE
from pms_events.verdicts import Reason

_LONGEST = 160


def describe(dead_letter: DeadLetter) -> str:
    """Say in one sentence what could not be done and why.

    From "bookings.record_booking" and booking 3333: "Could not record booking 3333: there is no
    property 'x'". Of many: `describe_each`.
    """
    return describe_each([dead_letter])[dead_letter.pk]


def describe_each(dead_letters: Sequence[DeadLetter]) -> dict[UUID, str]:
    """Say of each what could not be done and why; a query where apps have words for their tasks."""
    tasks = name_tasks(dead_letters)
    return {d.pk: _describe(d, task=tasks.get(d.pk, "")) for d in dead_letters}


def name_tasks(dead_letters: Sequence[DeadLetter]) -> dict[UUID, str]:
    """Say what deliveries were to do ("send e-mail"), where the handler's name says it badly."""
    found = find_tasks({(d.handler, d.target) for d in dead_letters if d.target})
    return {d.pk: found[way] for d in dead_letters if (way := (d.handler, d.target)) in found}


def _describe(dead_letter: DeadLetter, *, task: str) -> str:
    what = _thing(dead_letter)
    if dead_letter.reason == Reason.UNKNOWN_TYPE:
        return f"Nobody knows '{dead_letter.event_type}': {what} was kept, and nothing was done."
    if dead_letter.reason == Reason.UNROUTABLE:
        return f"Could not handle {what}: no handler is named '{dead_letter.handler}' any more."
    task = f"{task} for {what}" if task else _task(dead_letter, what, noun=what.split(" ")[0])
    if dead_letter.reason == Reason.POISON:
        return f"Could not {task}: it took its worker down {dead_letter.crashes} times."
    return f"Could not {task}: {summarize_failure(dead_letter)}"


def describe_cause(newest: DeadLetter, *, task: str, failure: str = "") -> str:
    """Say in one sentence what could not be done, of all that have the same cause as this one.

    "Could not record a booking: there is no property 'x'". `task`: as `name_tasks` has it, or empty.
    `failure`: what failed, when the newest one's words do not fit the others.
    """
    noun = name_noun(newest)
    article = "an" if noun[:1] in "aeiou" else "a"
    if newest.reason == Reason.UNKNOWN_TYPE:
        return f"Nobody knows '{newest.event_type}': it was kept, and nothing was done."
    if newest.reason == Reason.UNROUTABLE:
        return (
            f"Could not handle {article} {noun}: no handler is named '{newest.handler}' any more."
        )
    what = f"{article} {noun}"
    task = f"{task} for {what}" if task else _task(newest, what, noun=noun)
    if newest.reason == Reason.POISON:
        return f"Could not {task}: it takes its worker down."
    return f"Could not {task}: {failure or summarize_failure(newest)}"


def name_noun(dead_letter: DeadLetter) -> str:
    """Name the kind of thing that the event is about: "booking"."""
    noun = dead_letter.event_type.split(".")[0].replace("_", " ")
    prefix = _subject(dead_letter).partition(":")[0].replace("_", " ")
    if noun == "custom" and ":" in _subject(dead_letter) and prefix.isalpha():
        return prefix
    return "event" if noun == "custom" else noun


def summarize_failure(dead_letter: DeadLetter) -> str:
    """Give the first line of the error, without what only a programmer needs."""
    lines = dead_letter.message.strip().splitlines()
    text = lines[0] if lines else dead_letter.error_class
    if " " not in text and dead_letter.error_class and text != dead_letter.error_class:
        text = f"{dead_letter.error_class} {text}"  # KeyError says just 'unit_id'
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _thing(dead_letter: DeadLetter) -> str:
    """Name what the event is about: "booking 3333333333"."""
    noun = dead_letter.event_type.split(".")[0].replace("_", " ")
    subject = _subject(dead_letter)
    prefix, _, rest = subject.partition(":")
    if rest and prefix.replace("_", " ").isalpha():
        noun = prefix.replace("_", " ") if noun == "custom" else noun
        subject = rest if prefix == noun else f"({prefix} {rest})"
    return f"{noun} {subject}".strip()


def _subject(dead_letter: DeadLetter) -> str:
    return dead_letter.subject or dead_letter.stream or ""


def _task(dead_letter: DeadLetter, what: str, *, noun: str) -> str:
    """Say what the handler was to do, from its name: handlers are named verb_noun."""
    words = dead_letter.handler.rsplit(".", 1)[-1].replace("_", " ")
    if words.endswith(f" {noun}"):
        return f"{words.removesuffix(noun)}{what}"
    return f"{words} for {what}"


def foresee_retry(dead_letter: DeadLetter, *, behind: int) -> str:
    """Say what a retry would do, so that a person can tell whether it helps."""
    if dead_letter.handler == UNKNOWN_TYPE:
        if catalogue.find(dead_letter.event_type) is None:
            return (
                f"'{dead_letter.event_type}' is still not in the catalogue: a retry would end "
                "here again. Add the event type first, or discard."
            )
        return "The event type is known by now: a retry routes the event to all its handlers."
    handler = handlers.find(dead_letter.handler)
    if handler is None:
        return (
            f"There still is no handler named '{dead_letter.handler}': a retry would end here "
            "again. Bring the handler back first, or discard."
        )
    attempts = handler.retry.attempts
    said = [f"Runs {handler.name} again, with up to {attempts} attempts."]
    if dead_letter.reason in (Reason.INVALID, Reason.PERMANENT):
        said.append("It fails the same way unless the cause is gone: correct the data otherwise.")
    if dead_letter.reason == Reason.POISON:
        said.append("It runs alone, so that it takes nothing else down with it.")
    if handler.effects is Effects.EXTERNAL:
        said.append("What is sent to the outside carries the same idempotency key as before.")
    if behind:
        said.append(f"It goes before the {behind} that wait in its stream.")
    return " ".join(said)
