"""The ledger: what clients were told against what the tables and the receiver say."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql

from tests.chaos.load import Client
from tests.chaos.receiver import Talk

HANDLERS = 2
"""Each event is owed to `chaos.effect` and to `chaos.outside`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One promise: what was found, and the cases that break it."""

    promise: str
    found: str
    broken: list[str]


def check(
    database_url: str, clients: Sequence[Client], talks: Sequence[Talk], stopped: set[int]
) -> list[Finding]:
    """Compare everything, after the run has settled."""
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        findings = _tables(cursor, clients)
    return [*findings, *_outside(talks, stopped)]


def _tables(cursor: "psycopg2.extensions.cursor", clients: Sequence[Client]) -> list[Finding]:
    accepted: dict[str, set[str]] = defaultdict(set)
    for client in clients:
        for ids in client.accepted.values():
            accepted[client.tenant].update(ids)
    lost, unended, crossed, doubled, disordered, unkept = [], [], [], [], [], []
    ends: dict[str, int] = defaultdict(int)
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
        disordered += _out_of_order((row[1], row[2]) for row in journal)
    cursor.execute("SELECT count(*) FROM dispatch_arrival")
    left = cursor.fetchone()[0]
    cursor.execute("SELECT count(*) FROM dispatch_pendingdelivery")
    left += cursor.fetchone()[0]
    total = sum(len(ids) for ids in accepted.values())
    told = ", ".join(f"{count} {state}" for state, count in sorted(ends.items()))
    return [
        Finding(promise="accepted events are stored", found=f"{total} accepted", broken=lost),
        Finding(
            promise="each of their deliveries has ended",
            found=f"{told}; {left} left",
            broken=unended + ([f"{left} arrivals or deliveries left"] if left else []),
        ),
        Finding(
            promise="what died is before a person",
            found=f"{ends['dead']} dead letters",
            broken=unkept,
        ),
        Finding(promise="no database effect twice", found="journal rows", broken=doubled),
        Finding(promise="database effects in order", found="by stream", broken=disordered),
        Finding(promise="no tenant in another's", found=f"{len(accepted)} tenants", broken=crossed),
    ]


def _outside(talks: Sequence[Talk], stopped: set[int]) -> list[Finding]:
    """What the receiver saw. It tells a repeat by its key, as every receiver can.

    A process that was frozen beyond its lease may send once more when it wakes: a repeat, too.
    """
    first: dict[str, Talk] = {}
    for talk in sorted(talks, key=lambda t: t.began):
        first.setdefault(talk.key, talk)
    news = sorted(first.values(), key=lambda t: t.began)
    by_key: dict[str, list[Talk]] = defaultdict(list)
    for talk in talks:
        if talk.pid not in stopped:
            by_key[talk.key].append(talk)
    together = []
    for key, runs in by_key.items():
        runs.sort(key=lambda t: t.began)
        together += [key for a, b in itertools.pairwise(runs) if b.began < a.ended]
    crossed = [t.event_id for t in talks if not t.event_id.startswith(f"{t.tenant}-")]
    repeats = len(talks) - len(first)
    return [
        Finding(
            promise="the outside hears in order",
            found=f"{len(news)} keys",
            broken=_out_of_order((t.stream, t.n) for t in news),
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


def _out_of_order(rows: Iterable[tuple[str, int]]) -> list[str]:
    last: dict[str, int] = {}
    broken = []
    for stream, n in rows:
        if n < last.get(stream, -1):
            broken.append(f"{stream}: {n} after {last[stream]}")
        last[stream] = max(n, last.get(stream, -1))
    return broken
