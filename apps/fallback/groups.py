"""Dead letters by cause: what belongs together, how many, since when, and whether it goes on.

Everything is bounded: counting stops at `MOST_COUNTED`, so that looking at a flood costs no more than
looking at a drop.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from apps.dispatch.statements import fetch
from apps.fallback.causes import generalize
from apps.fallback.filters import DeadLetterFilter
from apps.fallback.models import DeadLetter
from apps.fallback.sentences import describe_cause, name_noun, name_tasks, summarize_failure

MOST_COUNTED = 10_000
MOST_CAUSES = 1_000
BUDGET = 30_000
MOST_TOUCHED = 1_000
HOURS = 24
_MOST_AN_HOUR = 1_000
_MOST_EXAMPLES = 20
_OF_NEWEST = """SELECT fingerprint, count(*), (array_agg(id ORDER BY died_at DESC, id))[1],
    max(died_at), min(died_at), count(*) >= %s
FROM ({newest}) newest GROUP BY fingerprint ORDER BY 2 DESC, 4 DESC LIMIT %s"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Open dead letters with the same cause. `newest` is an example, and the words are its.

    `count` stops at `MOST_COUNTED`, and earlier when there are many causes, so that all together are
    about `BUDGET`: `is_capped` says so. `units` and `touched` (different subjects, each called a
    `noun`) look at the newest `MOST_TOUCHED`.
    `varying` is what the sentence leaves out, because it is not the same in all: "'a'", "'b'".
    `trend` are the deaths in each of the last 24 hours, the oldest first, decided ones too.
    """

    fingerprint: str
    count: int
    newest: DeadLetter
    sentence: str
    first_died_at: datetime
    last_died_at: datetime
    units: int
    touched: int
    noun: str
    varying: list[str]
    trend: list[int]
    is_capped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Causes, the most frequent first. `has_more`: there are more than are shown or looked at."""

    found: list[Group]
    has_more: bool


def get_groups(chosen: DeadLetterFilter, *, limit: int = 200, now: datetime) -> Groups:
    """Group dead letters by cause; at most six queries.

    Open ones by what a cause has one of (handler, reason, category) are counted by index. Any other
    filter is read through, and only its newest `MOST_COUNTED` are grouped.
    """
    if chosen == _of_causes(chosen):
        rows = _count(MOST_COUNTED, only=chosen.fingerprint)
        fitting = _fitting(rows, chosen)
    else:
        fitting = rows = _read_through(chosen)
    # Tracebacks are long, and nobody reads them here. What has gone meanwhile is left out.
    newest = DeadLetter.objects.defer("traceback").in_bulk([row[2] for row in fitting[:limit]])
    shown = [row for row in fitting[:limit] if row[2] in newest]
    fingerprints = [row[0] for row in shown]
    touched = {
        row[0]: row[1:]
        for row in fetch(
            "fallback/touched",
            {"fingerprints": fingerprints, "most": MOST_TOUCHED, "examples": _MOST_EXAMPLES},
        )
    }
    trends = get_trends(fingerprints, now=now)
    tasks = name_tasks(list(newest.values()))
    groups = []
    for row in shown:
        fingerprint, _, pk = row[:3]
        about, trend = touched.get(fingerprint, (0, 0, [])), trends[fingerprint]
        groups.append(_group(row, newest[pk], about, trend, task=tasks.get(pk, "")))
    return Groups(found=groups, has_more=len(fitting) > limit or len(rows) >= MOST_CAUSES)


def _group(
    row: tuple[Any, ...],
    newest: DeadLetter,
    touched: tuple[Any, ...],
    trend: list[int],
    *,
    task: str,
) -> Group:
    fingerprint, count, _, last, first, is_capped = row
    units, subjects, messages = touched
    failure, varying = generalize(summarize_failure(newest), messages)
    return Group(
        fingerprint=fingerprint,
        count=count,
        newest=newest,
        sentence=describe_cause(newest, task=task, failure=failure),
        first_died_at=first,
        last_died_at=last,
        units=units,
        touched=subjects,
        noun=name_noun(newest),
        varying=varying,
        trend=trend,
        is_capped=is_capped,
    )


def get_trends(fingerprints: list[str], *, now: datetime) -> dict[str, list[int]]:
    """Count deaths in each of the last 24 hours, up to 1,000 each; the last ends now."""
    trends = {fingerprint: [0] * HOURS for fingerprint in fingerprints}
    parameters = {
        "fingerprints": fingerprints,
        "hours": HOURS,
        "start": now - timedelta(hours=HOURS),
        "most": _MOST_AN_HOUR,
    }
    for fingerprint, hour, count in fetch("fallback/trend", parameters):
        trends[fingerprint][hour] = count
    return trends


def get_handlers() -> list[str]:
    """Name the handlers that have open dead letters."""
    rows = _count(1)
    found = DeadLetter.objects.filter(pk__in=[row[2] for row in rows])
    return sorted(set(found.values_list("handler", flat=True)))


def _count(most: int, *, only: str = "") -> list[tuple[Any, ...]]:
    bounds = {"most_causes": MOST_CAUSES, "most": most, "budget": BUDGET}
    return fetch("fallback/groups", {**bounds, "only": only})


def _of_causes(chosen: DeadLetterFilter) -> DeadLetterFilter:
    return DeadLetterFilter(
        handler=chosen.handler,
        reason=chosen.reason,
        category=chosen.category,
        fingerprint=chosen.fingerprint,
    )


def _fitting(rows: list[tuple[Any, ...]], chosen: DeadLetterFilter) -> list[tuple[Any, ...]]:
    """Keep the causes whose newest dead letter is of the handler, reason and category asked for."""
    wanted = {n: v for n in ("handler", "reason", "category") if (v := getattr(chosen, n))}
    if not wanted:
        return rows
    fitting = DeadLetter.objects.filter(pk__in=[row[2] for row in rows], **wanted)
    kept = set(fitting.values_list("pk", flat=True))
    return [row for row in rows if row[2] in kept]


def _read_through(chosen: DeadLetterFilter) -> list[tuple[Any, ...]]:
    """Group the newest of any filter, in one pass; rows as those of groups.sql."""
    found = chosen.apply(DeadLetter.objects.all()).order_by("-died_at", "id")
    newest = found.values("id", "fingerprint", "died_at")[:MOST_COUNTED]
    sql, parameters = newest.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_OF_NEWEST.format(newest=sql), [MOST_COUNTED, *parameters, MOST_CAUSES])
        return cursor.fetchall()
