"""Pure decisions: retry, verdicts, routing, strict JSON, identifiers. Property tests."""

import json
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pms_events.categories import AUTOMATION, P0, P3
from pms_events.errors import PermanentError, Unreadable
from pms_events.event_types import catalogue
from pms_events.handlers import Effects, Handler, Handlers
from pms_events.identifiers import first_uid_at, new_uid
from pms_events.outcomes import Discard, Done, Snooze
from pms_events.patterns import is_pattern, matches
from pms_events.retry import Retry
from pms_events.routing import Fact, RouteRule, Subscription, plan
from pms_events.strict_json import UnreadableJson, loads
from pms_events.verdicts import Kind, Reason, judge, judge_error

NOW = datetime(2027, 6, 1, tzinfo=UTC)


def made(name: str, **options: Any) -> Handler:
    defaults: dict[str, Any] = {
        "function": lambda event, context: None,
        "types": ("custom.*",),
        "category": AUTOMATION,
        "effects": Effects.DATABASE,
        "retry": Retry(attempts=3),
    }
    return Handler(name=name, **{**defaults, **options})


@given(failures=st.integers(1, 10_000), draw=st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_negative_and_never_above_the_ceiling(failures: int, draw: float) -> None:
    retry = Retry(first=timedelta(seconds=2), factor=3, ceiling=timedelta(minutes=30))
    wait = retry.delay(failures, random=lambda: draw)
    assert timedelta(0) <= wait <= timedelta(minutes=30)
    assert wait <= timedelta(seconds=2 * 3 ** min(failures - 1, 10))


def test_the_jitter_is_full_from_nothing_to_the_grown_ceiling() -> None:
    retry = Retry(first=timedelta(seconds=2), factor=3)
    assert retry.delay(3, random=lambda: 0.0) == timedelta(0)
    assert retry.delay(3, random=lambda: 0.5) == timedelta(seconds=9)


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [(None, Kind.DONE), (Done("x"), Kind.DONE), (Discard("x"), Kind.DISCARD), (5, Kind.DEAD)],
)
def test_an_outcome_decides(outcome: Any, kind: Kind) -> None:
    assert judge(outcome, now=NOW).kind is kind


def test_a_snooze_has_a_time() -> None:
    verdict = judge(Snooze(timedelta(minutes=5)), now=NOW)
    assert (verdict.kind, verdict.due_at) == (Kind.SNOOZE, NOW + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("error", "failures", "kind", "reason"),
    [
        (ValueError("x"), 0, Kind.RETRY, None),
        (ValueError("x"), 1, Kind.RETRY, None),
        (ValueError("x"), 2, Kind.DEAD, Reason.EXHAUSTED),
        (PermanentError("x"), 0, Kind.DEAD, Reason.PERMANENT),
        (Unreadable("x"), 0, Kind.DEAD, Reason.UNREADABLE),
    ],
)
def test_an_error_decides(
    error: Exception, failures: int, kind: Kind, reason: Reason | None
) -> None:
    verdict = judge_error(error, handler=made("a"), failures=failures, now=NOW, random=lambda: 0.5)
    assert (verdict.kind, verdict.reason) == (kind, reason)


def test_what_an_outside_asks_for_is_waited_for() -> None:
    error = ValueError("busy")
    error.retry_after = timedelta(hours=1)  # type: ignore[attr-defined]
    verdict = judge_error(error, handler=made("a"), failures=0, now=NOW, random=lambda: 0.5)
    assert verdict.due_at == NOW + timedelta(hours=1)


def routed(fact: Fact, *known: Handler, **options: Any) -> list[tuple[str, str, int]]:
    registry = Handlers()
    for handler in known:
        registry.add(handler)
    plans = plan(
        fact,
        types=catalogue,
        registry=registry,
        subscriptions=options.get("subscriptions", []),
        rules=options.get("rules", []),
    )
    return [(p.handler, p.target, int(p.priority)) for p in plans]


def test_routing_fans_out_to_subscribed_targets_once_each() -> None:
    subscriptions = [
        Subscription(handler="out", target="a", pattern="custom.*"),
        Subscription(handler="out", target="a", pattern="custom.x"),
        Subscription(handler="out", target="b", pattern="custom.y"),
    ]
    known = made("out", fan_out=True)
    fact = Fact(type="custom.x")
    assert routed(fact, known, subscriptions=subscriptions) == [("out", "a", P3)]


def test_a_tenant_s_most_specific_rule_wins() -> None:
    rules = [
        RouteRule(pattern="*", handler="a", is_on=False, priority=None),
        RouteRule(pattern="custom.x", handler="a", is_on=True, priority=P0),
    ]
    assert routed(Fact(type="custom.x"), made("a"), rules=rules) == [("a", "", P0)]
    assert routed(Fact(type="custom.y"), made("a"), rules=rules) == []


def test_a_replay_leaves_the_outside_out_and_an_unknown_type_has_its_own_end() -> None:
    known = (made("in"), made("out", effects=Effects.EXTERNAL))
    fact = Fact(type="custom.x", include_external=False)
    assert routed(fact, *known) == [("in", "", P3)]
    assert routed(Fact(type="mars.landed"), *known)[0][0] == "engine.unknown_type"


@pytest.mark.parametrize(
    ("pattern", "type_", "fits"),
    [
        ("*", "a.b", True),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", True),
        ("a.*", "ab.c", False),
        ("a.b", "a.b", True),
        ("a.b", "a.bc", False),
    ],
)
def test_a_star_stands_for_the_last_parts(pattern: str, type_: str, fits: bool) -> None:
    assert matches(pattern, type_) is fits
    assert is_pattern(pattern)


_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=9)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=20,
)


@given(_json)
def test_what_can_be_stored_is_read_as_it_was_written(value: Any) -> None:
    assert loads(json.dumps(value).encode()) == value
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_never_more(body: bytes) -> None:
    try:
        loads(body)
    except UnreadableJson as error:
        told = error.detail
    else:
        told = "read"
    assert told


@pytest.mark.parametrize(
    "hostile",
    [
        b"{" + b"".join(b'"%d":0,' % n for n in range(20_000)) + b'"19999":0}',
        b'{"' + b"k" * 1_000_000 + b'":[' + b"0," * 200_000 + b'0],"a":"\\u0041"}',
    ],
    ids=["the last key stands twice", "a long key above many values"],
)
def test_a_hostile_body_costs_about_what_its_size_costs(hostile: bytes) -> None:
    def seconds(body: bytes) -> float:
        started = time.process_time()
        with suppress(UnreadableJson):
            loads(body)
        return time.process_time() - started

    harmless = b"[" + b"{}," * (len(hostile) // 3) + b'"\\u0041"]'
    # Quadratic, they took many times as long.
    assert seconds(hostile) < 10 * seconds(harmless)


def test_a_pointer_to_what_is_too_deep_is_cut_short() -> None:
    with pytest.raises(UnreadableJson, match="nested deeper") as refused:
        loads(b'{"' + b"k" * 300 + b'":' + b"[" * 70 + b"]" * 70 + b"}")
    assert len(refused.value.pointer) == 255


def test_uids_sort_by_their_making_and_bound_a_time() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=5)
    made_uids = [new_uid() for _ in range(2000)]
    after = datetime.now(UTC) + timedelta(milliseconds=5)
    assert made_uids == sorted(made_uids)
    assert first_uid_at(before) < made_uids[0] < made_uids[-1] < first_uid_at(after)
    assert {uid.version for uid in made_uids} == {7}
    assert all(uid.variant == uuid.RFC_4122 for uid in made_uids)
