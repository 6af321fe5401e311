"""What the live view shows, from roll-ups and samples alone: it counts no hot table and no log."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse

from apps.dispatch.models import Cap, Pulse, Route, TenantProgress
from apps.dispatch.progress import Counts, get_failing, get_history
from apps.dispatch.sampling import BACKLOG, Waiting, get_lagging, get_waiting
from apps.engine.watching import ROUTE, SWEEP
from apps.events.models import Event
from apps.fallback.models import DeadLetter, DeadLetterState
from apps.tenants.entering import PUBLIC, current_schema, current_tenant
from apps.tenants.models import Domain, Tenant
from config.live import charts, outside, wording
from config.live.charts import Chart
from config.live.outside import Receiver, Sender
from config.live.wording import Fact
from pms_events.categories import Category

MOST_OPEN = 1000
_RANKED = 10
_HOUR = timedelta(hours=1)
_STATES = ("arrived", "ready", "running", "scheduled", "waiting", "paused", "held")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One category: its backlog, how long the oldest waits, and its courses."""

    name: str
    backlog: int
    states: list[tuple[str, int]]
    oldest_at: datetime | None
    charts: list[Chart]
    is_stuck: bool
    is_paused: bool

    @property
    def table(self) -> list[tuple[datetime, list[int]]]:
        """The same numbers as rows, the newest first; five minutes without any are left out."""
        rows = zip(*(chart.bars for chart in self.charts), strict=True)
        counted = [(bars[0].at, [bar.count for bar in bars]) for bars in rows]
        return [(at, counts) for at, counts in reversed(counted) if any(counts)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A tenant in a ranking of the platform; `url` is the admin on its own host."""

    name: str
    url: str
    figures: list[str]
    at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Live:
    """All that one look shows."""

    now: datetime
    is_platform: bool
    facts: list[Fact]
    lanes: list[Lane]
    counted_at: datetime | None
    receivers: list[Receiver] | None = None
    senders: list[Sender] | None = None
    lagging: list[Ranked] = field(default_factory=list)
    failing: list[Ranked] = field(default_factory=list)
    switched_off: int = 0
    has_past: bool = False

    @property
    def is_empty(self) -> bool:
        """Nothing has ever come in."""
        return not self.lanes and not self.has_past

    @property
    def is_quiet(self) -> bool:
        """Something came in once, and nothing waits or was settled within the window."""
        return not self.lanes and self.has_past


def look(*, now: datetime, site: str, may: Callable[[str], bool]) -> Live:
    """Look at the current tenant, or at the whole platform.

    `site`: "http://{host}:8000". `may`: whether who looks has a permission, such as
    "sync.view_endpoint"; without it there is no link, and nothing of endpoints at all.
    """
    is_platform = current_schema() == PUBLIC
    tenant_id = None if is_platform else current_tenant().id
    waiting = get_waiting(tenant_id)
    times = charts.buckets(now)
    history = get_history(tenant_id, since=times[0])
    pulses = {pulse.name: pulse for pulse in Pulse.objects.order_by("name")}
    caps = Cap.objects.select_related("tenant").order_by("id")
    if tenant_id is not None:
        caps = caps.filter(Q(tenant_id=tenant_id) | Q(tenant_id=None))
    stuck = {name for name, pulse in pulses.items() if pulse.stuck_since}
    lanes = _lanes(waiting, history, times, stuck=stuck, caps=list(caps))
    busy = None if is_platform else {name for name, w in waiting.items() if w.oldest_at}
    failing = get_failing(since=now - _HOUR, limit=_RANKED) if is_platform else []
    troubles = [
        *wording.tell_sweep(pulses.get(SWEEP), now=now),
        *wording.tell_stuck(list(pulses.values()), busy=busy, now=now),
        *(_failures(failing) if is_platform else _open_letters(may)),
        *([] if is_platform or not may("sync.view_connection") else outside.tell_silent()),
        *wording.tell_caps(
            list(caps),
            is_platform=is_platform,
            url=reverse("admin:dispatch_cap_changelist") if may("dispatch.view_cap") else "",
        ),
    ]
    recent = sum(sum(of.get(times[-1], ())) for of in history.values())
    under_way = sum(w.total for w in waiting.values())
    counted = pulses.get(BACKLOG)
    live = Live(
        now=now,
        is_platform=is_platform,
        facts=wording.tell_all(troubles, settled=recent, waiting=under_way),
        lanes=lanes,
        counted_at=counted.seen_at if counted else None,
    )
    if is_platform:
        live.lagging, live.failing = _lagging(site), _failing(failing, site)
        live.has_past = TenantProgress.objects.exists()
    elif tenant_id is not None:
        live.receivers = outside.get_receivers() if may("sync.view_endpoint") else None
        live.senders = outside.get_senders() if may("sync.view_connection") else None
        live.has_past = Event.objects.exists()
        live.switched_off = Route.objects.filter(tenant_id=tenant_id, is_on=False).count()
    return live


def _lanes(
    waiting: dict[str, Waiting],
    history: dict[str, dict[datetime, Counts]],
    times: list[datetime],
    *,
    stuck: set[str],
    caps: list[Cap],
) -> list[Lane]:
    lanes = []
    for name in [ROUTE, *(category.value for category in Category)]:
        if name not in waiting and name not in history:
            continue
        found = waiting.get(name, Waiting({}))
        course = [history.get(name, {}).get(at, Counts()) for at in times]
        drawn = (
            []
            if name == ROUTE
            else [
                charts.draw(id=f"{name}-{kind}", kind=kind, of=name, times=times, counts=counts)
                for kind, counts in (
                    ("done", [c.done + c.discarded + c.superseded for c in course]),
                    ("retries", [c.retried for c in course]),
                    ("failures", [c.dead for c in course]),
                )
            ]
        )
        lanes.append(
            Lane(
                name="not routed yet" if name == ROUTE else name,
                backlog=found.total,
                states=[(s, found.states[s]) for s in _STATES if s in found.states],
                oldest_at=found.oldest_at,
                charts=drawn,
                is_stuck=name in stuck and found.oldest_at is not None,
                is_paused=any(c.category == name and not c.at_most and not c.handler for c in caps),
            )
        )
    return lanes


def _open_letters(may: Callable[[str], bool]) -> list[Fact]:
    letters = DeadLetter.objects.filter(state=DeadLetterState.OPEN)
    return wording.tell_open(
        letters[:MOST_OPEN].count(),
        most=MOST_OPEN,
        url=reverse("admin:fallback_deadletter_changelist")
        if may("fallback.view_deadletter")
        else "",
    )


def _lagging(site: str) -> list[Ranked]:
    rows = get_lagging(limit=_RANKED)
    names = _hosts([row[0] for row in rows], site)
    return [
        Ranked(name=names[id_][0], url=names[id_][1], figures=[f"{backlog:,}"], at=oldest)
        for id_, oldest, backlog in rows
        if id_ in names
    ]


def _failures(rows: list[tuple[int, int, int]]) -> list[Fact]:
    return wording.tell_failing([d for _, d, _ in rows if d], is_all=len(rows) < _RANKED)


def _failing(rows: list[tuple[int, int, int]], site: str) -> list[Ranked]:
    names = _hosts([row[0] for row in rows], site)
    return [
        Ranked(name=names[id_][0], url=names[id_][1], figures=[f"{died:,}", f"{again:,}"])
        for id_, died, again in rows
        if id_ in names
    ]


def _hosts(ids: list[int], site: str) -> dict[int, tuple[str, str]]:
    """Name tenants, and the address of the admin on their own host, where they have one."""
    hosts = dict(
        Domain.objects.filter(tenant_id__in=ids, is_primary=True).values_list("tenant_id", "domain")
    )
    tenants = Tenant.objects.filter(id__in=ids).values_list("id", "name")
    return {
        id_: (name, site.format(host=hosts[id_]) + "/admin/" if id_ in hosts else "")
        for id_, name in tenants
    }
