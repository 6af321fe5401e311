"""The ledger: what clients were told against what the tables and the receiver say."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql

from tests.chaos.load import Client
from tests.chaos.receiver import Talk

HANDLERS = 2
"""Each event is owed to `chaos.effect` and to `chaos.outside`."""

_WAKING_SECONDS = 5.0
# An effect without its settling, or a settling without its effect: they commit together.
_HALVES = """SELECT e.event_id FROM events_event e
    JOIN events_delivery d ON d.event_uid = e.uid AND d.handler = 'chaos.effect'
    LEFT JOIN chaos_journal j ON j.delivery_id = d.id
    WHERE (d.state = 'done') <> (j.seq IS NOT NULL)
    UNION ALL
    SELECT j.event_id FROM chaos_journal j LEFT JOIN events_delivery d ON d.id = j.delivery_id
    WHERE d.id IS NULL"""
_TOLD = "SELECT id FROM events_delivery WHERE handler = 'chaos.outside' AND state = 'done'"


@dataclass(slots=True, kw_only=True)
class Frozen:
    """Processes that slept through their leases, between two monotonic times."""

    pids: frozenset[int]
    since: float
    until: float = float("inf")

    def excuses(self, talk: Talk) -> bool:
        """Tell whether this is the stale run of the guarantee: in flight asleep, or sent on waking."""
        asleep = talk.began <= self.until + _WAKING_SECONDS and talk.ended >= self.since
        return talk.pid in self.pids and asleep


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One promise: what was found, and the cases that break it."""

    promise: str
    found: str
    broken: list[str]


def check(
    database_url: str, clients: Sequence[Client], talks: Sequence[Talk], frozen: Sequence[Frozen]
) -> list[Finding]:
    """Compare everything, after the run has settled."""
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        heard = {talk.key for talk in talks if talk.status == 200}
        findings = _tables(cursor, clients, heard)
    return [*findings, *check_talks(talks, frozen)]


def _tables(
    cursor: "psycopg2.extensions.cursor", clients: Sequence[Client], heard: Set[str]
) -> list[Finding]:
    accepted: dict[str, set[str]] = defaultdict(set)
    for client in clients:
        for ids in client.accepted.values():
            accepted[client.tenant].update(ids)
    lost, unended, crossed, doubled, disordered, unkept = [], [], [], [], [], []
    halves, unheard = [], []
    ends: dict[str, int] = defaultdict(int)
    rows = 0
    for tenant, ids in accepted.items():
        cursor.execute(sql.SQL("SET search_path TO {}, public").format(sql.Identifier(tenant)))
        stored = set(_column(cursor, "SELECT event_id FROM events_event WHERE source = 'chaos'"))
        lost += sorted(ids - stored)
        crossed += [i for i in stored if not i.startswith(f"{tenant}-")]
        cursor.execute(
            "SELECT e.event_id, count(*) FILTER (WHERE d.state <> 'dead'), count(*) FILTER"
            " (WHERE d.state = 'dead'), count(l.id) FROM events_event e"
            " LEFT JOIN events_delivery d ON d.event_uid = e.uid"
            " LEFT JOIN fallback_deadletter l ON l.delivery_id = d.id AND l.state = 'open'"
            " WHERE e.source = 'chaos' GROUP BY e.event_id"
        )
        for event_id, ended, dead, letters in cursor.fetchall():
            if ended + dead != HANDLERS:
                unended.append(f"{event_id}: {ended} ended, {dead} dead")
            if dead != letters:
                unkept.append(f"{event_id}: {dead} dead, {letters} before a person")
        cursor.execute("SELECT state, count(*) FROM events_delivery GROUP BY state")
        for state, count in cursor.fetchall():
            ends[state] += count
        cursor.execute("SELECT event_id, stream, n FROM chaos_journal ORDER BY seq")
        journal = cursor.fetchall()
        crossed += [row[0] for row in journal if not row[0].startswith(f"{tenant}-")]
        doubled += _repeated(row[0] for row in journal)
        disordered += find_disorder((row[1], row[2]) for row in journal)
        halves += _column(cursor, _HALVES)
        told = {f"dlv_{id}" for id in _column(cursor, _TOLD)}
        unheard += sorted(told - heard)
        rows += len(journal)
    cursor.execute("SELECT count(*) FROM dispatch_arrival")
    left = cursor.fetchone()[0]
    cursor.execute("SELECT count(*) FROM dispatch_pendingdelivery")
    left += cursor.fetchone()[0]
    total = sum(len(ids) for ids in accepted.values())
    tally = ", ".join(f"{count} {state}" for state, count in sorted(ends.items()))
    return [
        Finding(promise="accepted events are stored", found=f"{total} accepted", broken=lost),
        Finding(
            promise="each of their deliveries has ended",
            found=f"{tally}; {left} left",
            broken=unended + ([f"{left} arrivals or deliveries left"] if left else []),
        ),
        Finding(
            promise="what died is before a person",
            found=f"{ends['dead']} dead letters",
            broken=unkept,
        ),
        Finding(promise="no database effect twice", found=f"{rows} journal rows", broken=doubled),
        Finding(promise="effects and settling together", found="by delivery", broken=halves),
        Finding(promise="what is done was heard outside", found="by key", broken=unheard),
        Finding(promise="database effects in order", found="by stream", broken=disordered),
        Finding(promise="no tenant in another's", found=f"{len(accepted)} tenants", broken=crossed),
    ]


def check_talks(talks: Sequence[Talk], frozen: Sequence[Frozen]) -> list[Finding]:
    """Judge what the receiver saw. It tells a repeat by its key, as every receiver can.

    A process that was frozen beyond its lease may send once more when it wakes: a repeat, too, and
    the only run that may meet another of the same delivery.
    """
    first: dict[str, Talk] = {}
    for talk in sorted(talks, key=lambda t: t.began):
        first.setdefault(talk.key, talk)
    news = sorted(first.values(), key=lambda t: t.began)
    by_key: dict[str, list[Talk]] = defaultdict(list)
    for talk in talks:
        if not any(f.excuses(talk) for f in frozen):
            by_key[talk.key].append(talk)
    together = []
    for key, runs in by_key.items():
        runs.sort(key=lambda t: t.began)
        ends = itertools.accumulate((t.ended for t in runs), max)
        together += [key for end, later in zip(ends, runs[1:], strict=False) if later.began < end]
    crossed = [t.event_id for t in talks if not t.event_id.startswith(f"{t.tenant}-")]
    repeats = len(talks) - len(first)
    return [
        Finding(
            promise="the outside hears in order",
            found=f"{len(news)} keys",
            broken=find_disorder((t.stream, t.n) for t in news),
        ),
        Finding(
            promise="no two runs of one delivery at once",
            found=f"{repeats} repeats, told by their key",
            broken=together,
        ),
        Finding(promise="no tenant's news as another's", found="receiver", broken=crossed),
    ]


def _column(cursor: "psycopg2.extensions.cursor", query: str) -> list[str]:
    cursor.execute(query)
    return [row[0] for row in cursor.fetchall()]


def _repeated(values: Iterable[str]) -> list[str]:
    seen: dict[str, int] = defaultdict(int)
    for value in values:
        seen[value] += 1
    return [f"{value}: {count} times" for value, count in seen.items() if count > 1]


def find_disorder(rows: Iterable[tuple[str, int]]) -> list[str]:
    """List each number of a stream that came after a higher one."""
    last: dict[str, int] = {}
    broken = []
    for stream, n in rows:
        if n < last.get(stream, -1):
            broken.append(f"{stream}: {n} after {last[stream]}")
        last[stream] = max(n, last.get(stream, -1))
    return broken
