"""How the benchmark runs Procrastinate: a virtual environment, a database and two workers of its own."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks import stack

_HERE = Path(__file__).parent
_PROGRAM = _HERE / "procrastinate_noop.py"
_VENV = stack.ROOT / ".venv-peers"
_PYTHON = _VENV / "bin" / "python"


def install() -> bool:
    """Make its environment unless it is there; tells whether it is usable."""
    if (_VENV / "installed").exists():
        return True
    for command in (
        [sys.executable, "-m", "venv", str(_VENV)],
        [str(_PYTHON), "-m", "pip", "-q", "install", "-r", str(_HERE / "requirements.txt")],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            print(f"Procrastinate is left out, it could not be installed: {reason}")
            return False
    (_VENV / "installed").touch()
    return True


def make_schema(url: str) -> None:
    """Make its tables in an empty database."""
    _run(url, "schema")


def workers(url: str) -> dict[str, str]:
    """Write the commands of two worker processes."""
    return {f"procrastinate{n}": f"{_PYTHON} {_PROGRAM} {url} work" for n in (1, 2)}


def jobs_per_second(url: str, count: int) -> float:
    """Defer jobs in batches, wait until none is left; jobs a second."""
    return float(_run(url, "send", str(count)))


def _run(url: str, *arguments: str) -> str:
    done = subprocess.run(
        [str(_PYTHON), str(_PROGRAM), url, *arguments],
        env=os.environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout or "0"
