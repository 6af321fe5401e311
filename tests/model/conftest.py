"""Two connections at once, for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.model.sides import Sides, sides


@pytest.fixture
def side(database: None) -> Iterator[Sides]:
    """Start one of two at once: `side(act, before="…", after="…", holds=True)`."""
    with sides() as make:
        yield make
