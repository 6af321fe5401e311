"""The router's writes: who waits behind whom, who is in which turn, and the new rows.

Called under the router's advisory lock, in its transaction: there is no other writer of new rows.
"""

from collections import defaultdict
from collections.abc import Sequence

from apps.dispatch.models import State
from apps.dispatch.operations import key_columns
from apps.dispatch.statements import execute, fetch, insert_values, statement
from apps.dispatch.work import ArrivalRow, NewDelivery, StreamKey
from pms_events.categories import Priority
from pms_events.routing import HEAD_START, QUANTUM


def take_arrivals(*, limit: int) -> list[ArrivalRow]:
    """Take the oldest arrivals, in the order of their acceptance."""
    return sorted(ArrivalRow(*row) for row in fetch("take_arrivals", {"limit": limit}))


def add(deliveries: Sequence[NewDelivery]) -> set[str]:
    """Store new deliveries in order; gives the categories that have new ready work."""
    if not deliveries:
        return set()
    _put_in_streams(deliveries)
    _give_turns(deliveries)
    insert_values(statement("add_pending"), [delivery.row() for delivery in deliveries])
    return {d.category for d in deliveries if d.state == State.READY}


def _put_in_streams(deliveries: Sequence[NewDelivery]) -> None:
    """Let each delivery wait that has an unfinished one before it in its stream."""
    keys = {d.key for d in deliveries if d.key is not None}
    taken = _taken(sorted(keys)) if keys else set()
    for delivery in deliveries:
        key = delivery.key
        if key is None:
            continue
        if key in taken:
            delivery.state = State.WAITING
        else:
            taken.add(key)


def _taken(keys: list[StreamKey]) -> set[StreamKey]:
    """Tell which streams have an unfinished delivery, and hold it until we commit.

    A settle may remove a head at this very moment. So each is locked, and where it was gone by
    then, we look again: the settle has committed, and may have promoted the next.
    """
    taken: set[StreamKey] = set()
    while keys:
        found = {row[1]: keys[row[0] - 1] for row in fetch("find_heads", key_columns(keys))}
        if not found:
            break
        held = {row[0] for row in fetch("lock_heads", {"ids": sorted(found)})}
        taken |= {key for id_, key in found.items() if id_ in held}
        keys = [key for id_, key in found.items() if id_ not in held]
    return taken


def _give_turns(deliveries: Sequence[NewDelivery]) -> None:
    """Write down the fair order: deficit round robin between tenants, urgent ones ahead.

    turn = max(clock, the tenant's last turn at this priority) + position / quantum + head start.
    The clock is the turn of what is claimed next without its head start: counted twice, it would
    put a newcomer behind everybody who is already there.
    """
    groups: dict[tuple[str, int, int, int], list[NewDelivery]] = defaultdict(list)
    for d in deliveries:
        groups[(d.category, d.arrival.lane, d.arrival.tenant_id, d.priority)].append(d)
    categories, lanes, tenants, priorities = (list(c) for c in zip(*groups, strict=True))
    lanes_in_use = sorted(set(zip(categories, lanes, strict=True)))
    clocks = {
        (row[0], row[1]): float(row[2])
        - (HEAD_START[Priority(row[3])] if row[3] is not None else 0)
        for row in fetch(
            "clocks",
            {"categories": [c for c, _ in lanes_in_use], "lanes": [ln for _, ln in lanes_in_use]},
        )
    }
    columns = {
        "categories": categories, "lanes": lanes, "tenants": tenants, "priorities": priorities,
    }  # fmt: skip
    last = {tuple(row[:4]): float(row[4]) for row in fetch("last_turns", columns)}
    turns = []
    for group, members in groups.items():
        base = max(clocks[group[:2]], last.get(group, 0.0))
        start = HEAD_START[Priority(group[3])]
        for position, delivery in enumerate(members):
            delivery.turn = base + start + position / QUANTUM
        turns.append(base + len(members) / QUANTUM)
    execute("keep_turns", {**columns, "turns": turns})
