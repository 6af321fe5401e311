"""The engine beside a plain model of its promises, through whatever may happen.

`PMS_MODEL_EXAMPLES` sets how many stories are tried (CI: a fixed few; by hand: thousands).
"""

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from apps.tenants.entering import TenantRef
from tests.model.machine import Engine

_EXAMPLES = os.environ.get("PMS_MODEL_EXAMPLES")


def test_the_engine_does_what_a_plain_model_of_its_promises_does(
    acme: TenantRef, harbor: TenantRef
) -> None:
    run_state_machine_as_test(
        Engine,
        settings=settings(
            max_examples=int(_EXAMPLES or 40),
            stateful_step_count=40,
            deadline=None,
            derandomize=_EXAMPLES is None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
