"""The first row of the live view: a few facts in words that a person takes in at a glance."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.dispatch.models import Cap, Pulse
from apps.engine.watching import ROUTE, SWEEP

_SILENCE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One fact. `tone`: good, notice, warning or danger. `at` is shown relative, in full as title."""

    text: str
    tone: str
    why: str = ""
    at: datetime | None = None
    url: str = ""


def describe_span(span: timedelta) -> str:
    """Say how long something lasts: 40 s, 3 min, 2 h, 4 days."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 2 * 86400:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} days"


def tell_sweep(pulse: Pulse | None, *, now: datetime) -> list[Fact]:
    """Say so when nobody makes the periodic pass: retries that are due then wait."""
    if pulse is not None and now - pulse.seen_at < _SILENCE:
        return []
    return [
        Fact(
            text="Nobody sweeps",
            tone="danger",
            why="Are beat and a worker of events.sweep running? Retries wait; nothing is lost.",
            at=pulse.seen_at if pulse else None,
        )
    ]


def tell_stuck(
    pulses: Collection[Pulse], *, busy: Collection[str] | None, now: datetime
) -> list[Fact]:
    """Say what stands still. `busy`: the categories a tenant has work in; None for the platform."""
    facts = []
    for pulse in pulses:
        since = pulse.waiting_since
        if pulse.stuck_since is None or since is None or pulse.name == SWEEP:
            continue
        if busy is not None and pulse.name not in busy:
            continue
        is_router = pulse.name == ROUTE
        what = "Routing" if is_router else pulse.name.capitalize()
        facts.append(
            Fact(
                text=f"{what} is stuck for {describe_span(now - since)}",
                tone="danger",
                why=f"Work is ready and nothing moves: is a worker of events.{pulse.name} running? "
                "Restarting it loses nothing.",
                at=since,
            )
        )
    return facts


def describe_scope(cap: Cap, *, is_platform: bool) -> str:
    """Name what a pause or limit is about, as a person would."""
    what = cap.handler or (cap.category.capitalize() if cap.category else "")
    if cap.handler and cap.category:
        what = f"{cap.handler} in {cap.category}"
    if cap.target:
        what = f"{what} to {cap.target[:8]}…"
    if is_platform and cap.tenant is not None:
        return f"{what} of {cap.tenant.name}" if what else cap.tenant.name
    return what or "Everything"


def tell_caps(caps: Sequence[Cap], *, is_platform: bool, url: str) -> list[Fact]:
    """Say what is paused or limited, by whom and why. A platform's pause a tenant cannot end."""
    facts = []
    for cap in caps:
        scope = describe_scope(cap, is_platform=is_platform)
        is_ours = is_platform or cap.tenant_id is not None
        by = cap.created_by if is_ours else "the platform"
        facts.append(
            Fact(
                text=f"{scope} is limited to {cap.at_most} at once"
                if cap.at_most
                else f"{scope} is paused",
                tone="notice" if cap.at_most else "warning",
                why=f"By {by}" + (f": {cap.reason}" if cap.reason else ""),
                at=cap.created_at,
                url=f"{url}{cap.pk}/change/" if is_ours and url else "",
            )
        )
    return facts


def tell_open(count: int, *, most: int, url: str) -> list[Fact]:
    """Say how many dead letters need a person."""
    if not count:
        return []
    shown = f"{most}+" if count >= most else str(count)
    verb = "needs" if count == 1 else "need"
    return [Fact(text=f"{shown} {verb} a person", tone="danger", why="in the fallback queue",
                 url=url)]  # fmt: skip


def tell_failing(died: Sequence[int], *, is_all: bool) -> list[Fact]:
    """Say what fails on the whole platform. `died`: deaths in the last hour, a tenant each."""
    if not died:
        return []
    more = "" if is_all else " or more"
    tenants = "1 tenant" if len(died) == 1 else f"{len(died)}{more} tenants"
    return [
        Fact(
            text=f"{sum(died):,}{more} {'failure' if sum(died) == 1 else 'failures'} in the last hour",
            tone="warning",
            why=f"of {tenants}, ranked below: it is for their people to decide",
        )
    ]


def tell_all(troubles: Sequence[Fact], *, settled: int, waiting: int) -> list[Fact]:
    """Put "all flows" first when nothing is wrong."""
    if any(fact.tone in ("danger", "warning") for fact in troubles):
        return list(troubles)
    why = f"{settled} settled in the last five minutes" if settled else "Nothing new just now"
    if waiting:
        why += f", {waiting} on their way"
    return [Fact(text="All flows", tone="good", why=why), *troubles]
