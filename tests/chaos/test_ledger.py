"""The ledger notices what it is there for: a reckoning that cannot fail would prove nothing."""

from dataclasses import replace

import pytest

from tests.chaos.ledger import Finding, Frozen, check_talks, find_disorder
from tests.chaos.receiver import Talk

FIRST = Talk(
    tenant="acme", event_id="acme-c0-0-0", stream="acme-c0-0", n=0, key="dlv_1", pid=7,
    status=200, began=10.0, ended=10.5,
)  # fmt: skip
SECOND = replace(FIRST, event_id="acme-c0-0-1", n=1, key="dlv_2", began=11.0, ended=11.5)
ORDER, TOGETHER, CROSSED = (
    "the outside hears in order",
    "no two runs of one delivery at once",
    "no tenant's news as another's",
)


def broken(findings: list[Finding]) -> list[str]:
    return [finding.promise for finding in findings if finding.broken]


def test_a_run_after_the_other_and_a_repeat_after_its_end_break_nothing() -> None:
    repeat = replace(FIRST, pid=8, began=10.6, ended=10.8)
    assert broken(check_talks([FIRST, repeat, SECOND], [])) == []


def test_two_runs_of_one_delivery_at_once_are_found() -> None:
    meanwhile = replace(FIRST, pid=8, began=10.4, ended=10.6)
    assert broken(check_talks([FIRST, meanwhile], [])) == [TOGETHER]


def test_a_run_inside_a_long_one_is_found_even_when_a_short_one_lies_between() -> None:
    long = replace(FIRST, ended=20.0)
    early = replace(FIRST, pid=8, began=10.1, ended=10.2)
    late = replace(FIRST, pid=9, began=15.0, ended=15.1)
    promise = check_talks([long, early, late], [])[1]
    assert promise.broken == ["dlv_1", "dlv_1"]


def test_a_later_event_heard_before_an_earlier_one_of_its_stream_is_found() -> None:
    overtaking = replace(SECOND, began=9.0, ended=9.5)
    assert broken(check_talks([FIRST, overtaking], [])) == [ORDER]


def test_an_event_of_one_tenant_sent_for_another_is_found() -> None:
    assert broken(check_talks([replace(FIRST, tenant="harbor")], [])) == [CROSSED]


@pytest.mark.parametrize(
    ("since", "until", "excused"),
    [(10.2, 32.0, True), (4.0, 10.0, True), (2.0, 4.0, False), (11.0, 33.0, False)],
    ids=["asleep in the request", "sends on waking", "long awake again", "froze after it"],
)
def test_only_the_run_of_a_frozen_process_is_excused(
    since: float, until: float, excused: bool
) -> None:
    frozen = Frozen(pids=frozenset({FIRST.pid}), since=since, until=until)
    meanwhile = replace(FIRST, pid=8, began=10.4, ended=10.6)
    assert (broken(check_talks([FIRST, meanwhile], [frozen])) == []) is excused


def test_numbers_that_come_late_are_told_with_their_stream() -> None:
    assert find_disorder([("a", 0), ("b", 0), ("a", 2), ("a", 1)]) == ["a: 1 after 2"]
