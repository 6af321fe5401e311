"""What a mail about an event says: in one look for a person, then every fact as a line.

Each alert has its words in a table; whatever else a tenant wants to be mailed is told as it is.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.urls import NoReverseMatch, reverse

from apps.web.sites import Site
from pms_events.context import Event

_LONGEST_SUBJECT = 150
_MOST_DATA = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event in words: a headline, some sentences, and pages to look at (words, path)."""

    headline: str
    said: str
    pages: Sequence[tuple[str, str]] = field(default=())


def write_words(event: Event, *, site: Site, endpoint_path: str) -> tuple[str, str]:
    """Write subject and text of the mail about an event of a tenant."""
    word = WORDS.get(event.type)
    told = word(event) if word else _tell_anything(event)
    subject = " ".join(f"[{site.name}] {told.headline}".split())
    if len(subject) > _LONGEST_SUBJECT:
        subject = subject[: _LONGEST_SUBJECT - 1] + "…"
    links = [(words, site.link(path)) for words, path in told.pages]
    shown = "\n".join(f"{words}: {link}" for words, link in links if link)
    facts = _facts(event.data, event) if word else _attributes(event) + _data(event)
    stop = site.link(endpoint_path)
    footer = f"-- \nThis address is an endpoint of {site.name}" + (f": {stop}" if stop else ".")
    parts = [told.said, shown, "\n".join(facts), footer]
    return subject, "\n\n".join(part for part in parts if part) + "\n"


def _tell_died(event: Event) -> Told:
    about = _of(event, "about", "an event")
    sentence = _of(event, "sentence", f"A delivery of {about} failed")
    cause, letter = _of(event, "fingerprint", ""), _of(event, "dead_letter_id", "")
    queue = reverse("admin:fallback_deadletter_changelist")
    return Told(
        headline=f"Needs a person: {about} could not be handled",
        said=f"{sentence}.\n\n"
        "It will not be tried again by itself: a person decides to retry, correct or discard it.\n"
        f"The first one failed at {_moment(event.time)}. This is said once for all that fail of the "
        "same cause:\nhow many there are is on the page.",
        pages=[
            ("All of this cause", f"{queue}?fingerprint={cause}"),
            ("The first one", _page("admin:fallback_deadletter_change", letter)),
        ],
    )


def _tell_grown(event: Event) -> Told:
    more = " or more" if event.data.get("is_capped") else ""
    count, share = _of(event, "open", "many"), _of(event, "share", "some")
    handler, cause = _of(event, "handler", "one handler"), _of(event, "fingerprint", "")
    queue = reverse("admin:fallback_deadletter_changelist")
    return Told(
        headline=f"{count}{more} wait for a person in the fallback queue",
        said=f"{share} of them failed of one cause in {handler}, the first at {_since(event)}: deciding "
        "about\nthat cause decides about them all. You are told again when the queue is ten times as "
        "long, or\nwhen it was worked off and grows anew.",
        pages=[
            ("That cause", f"{queue}?fingerprint={cause}"),
            ("All causes", _page("admin:fallback_deadletter_groups")),
        ],
    )


def _tell_stalled(event: Event) -> Told:
    name = _of(event, "name", "a category")
    return Told(
        headline=f"{name.capitalize()} stands still",
        said=f"Work of {name} is waiting, and nothing of it has moved since {_since(event)}.\n"
        "Nothing is lost: it goes on by itself once the operator has mended it, and you are told.",
        pages=[("How things go", reverse("admin:index"))],
    )


def _tell_recovered(event: Event) -> Told:
    name = _of(event, "name", "a category")
    return Told(
        headline=f"{name.capitalize()} moves again",
        said=f"{name.capitalize()} had stood still since {_since(event, 'stalled_since')}. "
        f"It has moved again since {_moment(event.time)};\nwhat had waited is being done.",
        pages=[("How things go", reverse("admin:index"))],
    )


def _tell_disabled(event: Event) -> Told:
    host = _of(event, "host", "an endpoint")
    return Told(
        headline=f"Nothing is sent to {host} any more",
        said=f"The endpoint was switched off at {_moment(event.time)}: "
        f"{_of(event, 'reason', 'no reason is kept')}.\n"
        "What happens from now on is not sent there. Once the receiver is well, enable the endpoint "
        "again.",
        pages=[
            ("The endpoint", _page("admin:sync_endpoint_change", _of(event, "endpoint_id", "")))
        ],
    )


def _tell_silent(event: Event) -> Told:
    name = _of(event, "name", "") or _of(event, "connection_id", "") or event.subject
    return Told(
        headline=f"Nothing comes from {name or 'a connection'} any more",
        said="Nothing has come in over this connection since "
        f"{_since(event, 'silent_since')}, which is longer than usual or allowed.\n"
        "Bookings or changes may be missing: look whether the other side still sends.",
        pages=[("The connection", _connection(event))],
    )


def _tell_resumed(event: Event) -> Told:
    name = _of(event, "name", "") or _of(event, "connection_id", "") or event.subject
    return Told(
        headline=f"{name or 'A connection'} sends again",
        said=f"After a silence since {_since(event, 'silent_since')}, something came in over this "
        f"connection at {_moment(event.time)}.",
        pages=[("The connection", _connection(event))],
    )


def _tell_test(event: Event) -> Told:
    return Told(
        headline="Test: mail arrives here",
        said=f"Somebody tried this address at {_moment(event.time)}. Nothing has happened.",
    )


def _tell_anything(event: Event) -> Told:
    return Told(
        headline=event.type + (f": {event.subject}" if event.subject else ""),
        said=f"{event.type} happened at {_moment(event.time)}.",
        pages=[("Its story", _page("admin:events_event_change", str(event.uid)))],
    )


WORDS: Mapping[str, Callable[[Event], Told]] = {
    "delivery.died": _tell_died,
    "fallback.grown": _tell_grown,
    "category.stalled": _tell_stalled,
    "category.recovered": _tell_recovered,
    "endpoint.disabled": _tell_disabled,
    "connection.silent": _tell_silent,
    "connection.resumed": _tell_resumed,
    "custom.endpoint_tested": _tell_test,
}
"""How each alert is told, by event type. What is not here is told with its payload."""


def _facts(data: Mapping[str, Any], event: Event) -> list[str]:
    return [f"{name}: {_line(value)}" for name, value in data.items()] + [f"event: {event.uid}"]


def _attributes(event: Event) -> list[str]:
    named = {"type": event.type, "subject": event.subject, "time": event.time.isoformat(),
             "source": event.source, "event": str(event.uid)}  # fmt: skip
    return [f"{name}: {_line(value)}" for name, value in named.items() if value]


def _data(event: Event) -> list[str]:
    text = json.dumps(event.data, indent=2, ensure_ascii=False)
    if len(text) > _MOST_DATA:
        text = text[:_MOST_DATA] + "\n… and more: see its story"
    return ["data:", text]


def _line(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(text.split())


def _of(event: Event, name: str, default: str) -> str:
    """Read a text of the payload: alerts are told even when one has lost a field."""
    value = event.data.get(name)
    return _line(value) if value not in (None, "") else default


def _since(event: Event, name: str = "since") -> str:
    return _moment(_of(event, name, event.time.isoformat()))


def _moment(at: datetime | str) -> str:
    """Write a time to the minute, in UTC: who reads a mail may be anywhere."""
    if isinstance(at, str):
        try:
            at = datetime.fromisoformat(at)
        except ValueError:
            return str(at)
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _connection(event: Event) -> str:
    return _page("admin:sync_connection_change", _of(event, "connection_id", ""))


def _page(name: str, *ids: str) -> str:
    """Give the path of a page; the admin's home when there is none of this kind or id."""
    try:
        return reverse(name, args=ids)
    except NoReverseMatch:
        return reverse("admin:index")
