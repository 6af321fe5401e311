"""`python -m tests.model.telling`: a process that tells the story, and dies where it is told to.

Each line it reads is a telling, `<commit> before|after <folder>`: it forks a child that tells the story
and dies there, and answers with how the child ended. Commit 0 is never reached; the names of all commits
are then left in the folder.
"""

import os
import sys
import traceback
from pathlib import Path

import django

django.setup()

from django.db import connections  # noqa: E402 - Django has to be set up first

from tests.model import story  # noqa: E402
from tests.model.dying import DyingConnection, commits  # noqa: E402


def _tell(commit: int, *, is_after: bool, folder: Path) -> None:
    options = connections["default"].settings_dict["OPTIONS"]
    options["connection_factory"] = DyingConnection
    options["application_name"] = "story"
    commits.deadly, commits.is_after = commit, is_after
    try:
        story.tell(folder)
    except BaseException:  # noqa: BLE001 - the child ends here, and says why
        (folder / "error").write_text(traceback.format_exc())
        os._exit(1)
    (folder / "commits").write_text("\n".join(commits.names))
    os._exit(0)


def main() -> None:
    for line in sys.stdin:
        commit, when, folder = line.split(maxsplit=2)
        child = os.fork()
        if child == 0:
            _tell(int(commit), is_after=when == "after", folder=Path(folder.strip()))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
