"""How PostgreSQL would find what a block asks for: no big table is to be read from end to end."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def plans() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Explain every SELECT that the block runs; gives pairs of statement and plan."""
    seen: list[tuple[str, dict[str, Any]]] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(("SELECT", "WITH")):
            cursor = context["cursor"]
            execute(f"EXPLAIN (FORMAT JSON) {sql}", params, many, context)
            found = cursor.fetchone()[0]
            plan = json.loads(found) if isinstance(found, str) else found
            seen.append((sql, plan[0]["Plan"]))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield seen


def read_whole(plan: dict[str, Any], big: Collection[str], *, above: str = "") -> list[str]:
    """Name the big tables that a plan reads from end to end.

    Taking the first rows that come is not that: a scan without a filter, right below a limit.
    """
    is_whole = plan["Node Type"] == "Seq Scan" and not (above == "Limit" and "Filter" not in plan)
    here = [plan["Relation Name"]] if is_whole else []
    below = [
        name
        for part in plan.get("Plans", [])
        for name in read_whole(part, big, above=plan["Node Type"])
    ]
    return [name for name in here + below if name in big]


def assert_by_index(seen: list[tuple[str, dict[str, Any]]], big: Collection[str]) -> None:
    """Fail with the statement and its plan where a big table is read from end to end."""
    assert seen, "nothing was asked"
    for sql, plan in seen:
        assert not read_whole(plan, big), f"{sql}\n{json.dumps(plan, indent=1)}"
