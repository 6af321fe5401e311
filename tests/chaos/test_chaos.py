"""A short chaos run in each test run; `make chaos` is the long one."""

import pytest

from tests.chaos.report import as_markdown
from tests.chaos.run import Plan, run
from tests.embedded import is_on_rabbitmq


@pytest.mark.stack
def test_a_stack_that_is_broken_again_and_again_keeps_its_promises() -> None:
    broker = "rabbitmq" if is_on_rabbitmq() else "valkey"
    result = run(Plan(seed=11, faults=14, pause=1.5, broker=broker), say=print)
    assert result.is_good, as_markdown(result)
    assert len(result.faults) == 14
