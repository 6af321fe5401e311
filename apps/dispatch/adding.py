"""The router's writes: who waits behind whom, who is in which turn, and the new rows.

Called under the router's advisory lock, in its transaction: there is no other writer of new rows.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from apps.dispatch.clocks import Clock, read_clocks
from apps.dispatch.models import State
from apps.dispatch.operations import key_columns, unhold
from apps.dispatch.statements import copy_rows, execute, fetch
from apps.dispatch.work import ArrivalRow, NewDelivery, StreamKey
from pms_events.categories import Priority
from pms_events.routing import HEAD_START, QUANTUM

FAR_AHEAD = 2000
"""So many deliveries of its tenant before each that was routed: how soon it is its turn is no
longer a matter of its place, and to route more makes nobody sooner."""

FAR_BLOCK = 500
"""Deliveries of a tenant that share a turn where it is far ahead: as many as a claim usually takes, so
that workers enter few tenants for each. Elsewhere as many as make one turn do. See docs/decisions/0013."""
_GOLDEN = 0.618034


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What came of new deliveries: categories with new ready work, and by tenant how many of its own
    each delivery has ahead of it at least."""

    categories: Collection[str] = ()
    ahead: Mapping[int, float] = field(default_factory=dict)


def add(deliveries: Sequence[NewDelivery], *, weights: Mapping[int, float]) -> Added:
    """Store new deliveries in order.

    weights: of the tenants whose share of the turns is not the usual one.
    """
    if not deliveries:
        return Added()
    _put_in_streams(deliveries)
    ahead = _give_turns(deliveries, weights)
    copy_rows("add_pending", [delivery.row() for delivery in deliveries])
    return Added(categories={d.category for d in deliveries if d.state == State.READY}, ahead=ahead)


def take_places(arrivals: Sequence[ArrivalRow]) -> None:
    """Let go the heads whose place corrections have taken; what is oldest in their streams goes on.

    After `add`, in its transaction.
    """
    unhold([arrival.place for arrival in arrivals if arrival.place is not None])


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


def _give_turns(
    deliveries: Sequence[NewDelivery], weights: Mapping[int, float]
) -> dict[int, float]:
    """Write down the fair order: deficit round robin between tenants, urgent ones ahead.

    Gives `Added.ahead`: the turns between the clock and a newcomer say how many of its tenant wait.

    turn = max(clock, the tenant's last turn at this priority) + position / quantum + head start,
    where the tenant's weight multiplies the quantum. The clock is the turn of what is claimed next
    without its head start: counted twice, it would put a newcomer behind everybody already there.
    Turns are rounded down to where blocks of a tenant begin, so that a claim enters few tenants: one
    turn long, or FAR_BLOCK deliveries. The first turn of whoever has nothing waiting is one block.
    """
    groups: dict[tuple[str, int, int, int], list[NewDelivery]] = defaultdict(list)
    for d in deliveries:
        groups[(d.category, d.arrival.lane, d.arrival.tenant_id, d.priority)].append(d)
    categories, lanes, tenants, priorities = (list(c) for c in zip(*groups, strict=True))
    lanes_in_use = sorted(set(zip(categories, lanes, strict=True)))
    clocks = {place: _base_of(clock) for place, clock in read_clocks(lanes_in_use).items()}
    columns = {
        "categories": categories, "lanes": lanes, "tenants": tenants, "priorities": priorities,
    }  # fmt: skip
    last = {tuple(row[:4]): float(row[4]) for row in fetch("last_turns", columns)}
    turns: list[float] = []
    ahead: dict[int, float] = {}
    for group, members in groups.items():
        clock = clocks[group[:2]]
        base = max(clock, last.get(group, 0.0))
        start = HEAD_START[Priority(group[3])]
        quantum = QUANTUM * weights.get(group[2], 1.0)
        before = (base - clock) * quantum
        ahead[group[2]] = min(before, ahead.get(group[2], before))
        length = FAR_BLOCK / quantum if before >= FAR_AHEAD else 1.0
        for position, delivery in enumerate(members):
            turn = base + position / quantum
            is_first = base == clock and turn < clock + 1.0
            block = clock if is_first else begin_of_block(turn, group[2], length)
            delivery.turn = max(clock, block) + start
        turns.append(base + len(members) / quantum)
    execute("keep_turns", {**columns, "turns": turns})
    return ahead


def begin_of_block(turn: float, tenant_id: int, length: float) -> float:
    """Round a turn down to where the tenant's block begins; blocks are `length` turns long.

    Those of one length begin at different turns for different tenants, evenly spread however many there
    are: a newcomer, whose turn is that of the block being claimed, has only its rest before it.
    """
    phase = tenant_id * _GOLDEN % 1 * length
    return (turn - phase) // length * length + phase


def _base_of(clock: Clock) -> float:
    if clock.turn is None or clock.priority is None:
        return clock.last_turn
    return clock.turn - HEAD_START[clock.priority]
