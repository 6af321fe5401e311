"""A process that dies at every commit of the engine: just before it, and just after it.

The commits are those of `story.py`, in their order; docs/guarantees.md tells of them.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from apps.dispatch.clocks import forget_clocks
from apps.tenants.entering import TenantRef
from tests.model.aftermath import assert_nothing_is_lost_or_doubled
from tests.model.points import POINTS
from tests.model.story import recover, stage
from tests.processes import ROOT, eventually

pytestmark = pytest.mark.stack
KILLED = -9


class Teller:
    """The process that tells the story again and again, each time in a child."""

    def __init__(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "tests.model.telling"],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def tell(self, folder: Path, *, commit: int = 0, when: str = "before") -> int:
        """Tell the story up to a commit; gives how the child ended, as subprocess does."""
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._popen.stdin.write(f"{commit} {when} {folder}\n")
        self._popen.stdin.flush()
        return int(self._popen.stdout.readline())

    def end(self) -> None:
        self._popen.communicate(timeout=15)


@pytest.fixture(scope="module")
def teller(django_db_setup: None) -> Iterator[Teller]:
    made = Teller()
    yield made
    made.end()


def test_the_points_are_all_commits_of_the_story(
    acme: TenantRef, harbor: TenantRef, teller: Teller, tmp_path: Path
) -> None:
    ended = teller.tell(tmp_path)
    assert ended == 0, (tmp_path / "error").read_text()
    assert (tmp_path / "commits").read_text().splitlines() == list(POINTS)
    _recover_and_check([acme, harbor], tmp_path)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "commit", range(1, len(POINTS) + 1), ids=[f"{n}, {p}" for n, p in enumerate(POINTS, 1)]
)
def test_a_process_may_die(
    commit: int, when: str, acme: TenantRef, harbor: TenantRef, teller: Teller, tmp_path: Path
) -> None:
    assert teller.tell(tmp_path, commit=commit, when=when) == KILLED
    eventually(_is_gone)
    _recover_and_check([acme, harbor], tmp_path)


def _recover_and_check(tenants: list[TenantRef], folder: Path) -> None:
    forget_clocks()
    with stage(folder).on():
        recover(tenants)
    assert_nothing_is_lost_or_doubled(tenants, folder)


def _is_gone() -> bool:
    """PostgreSQL has noticed that the process is dead, and undone what it had not committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'story'")
        return cursor.fetchone() == (0,)
