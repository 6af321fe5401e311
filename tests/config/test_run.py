"""`make run`, as a newcomer runs it: starts everything, says where it is, leaves nothing behind."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.processes import ROOT, eventually, free_port

pytestmark = pytest.mark.stack
_OURS = {"DATABASE_URL", "CELERY_BROKER_URL", "PMS_TEST_ADMIN_URL", "DJANGO_DEBUG", "PMS_VAR_DIR"}


def environment(**changes: str) -> dict[str, str]:
    """What a newcomer's shell has: none of the settings of this test run."""
    return {**{k: v for k, v in os.environ.items() if k not in _OURS}, **changes}


def run(**changes: str) -> subprocess.CompletedProcess[str]:
    """Run it where it cannot start."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "config.run"],
        cwd=ROOT, env=environment(**changes), capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


def assert_one_clear_line(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for part in ("make run:", *parts):
        assert part in lines[0]


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run(PORT=port, PMS_VAR_DIR=str(tmp_path / "var"))
    assert_one_clear_line(done, f"port {port}", "set PORT")
    assert not (tmp_path / "var" / "postgres").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run(PORT=str(free_port()), PMS_VAR_DIR=str(tmp_path / "file" / "var"))
    assert_one_clear_line(done, "cannot write", "PMS_VAR_DIR")


def test_a_database_that_refuses_is_one_clear_line(tmp_path: Path) -> None:
    done = run(
        PORT=str(free_port()), PMS_VAR_DIR=str(tmp_path / "var"),
        DATABASE_URL="postgresql://postgres@127.0.0.1:1/pms",
    )  # fmt: skip
    assert_one_clear_line(done, "the database refuses", "DATABASE_URL")
    assert [p for p in psutil.process_iter() if str(tmp_path) in " ".join(_command(p))] == []


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


Start = Callable[[Path, int], subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start it in a folder and on a port; ended by force when the test fails."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(folder: Path, port: int) -> subprocess.Popen[bytes]:
        with (folder.parent / "run.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "config.run"],
                cwd=ROOT, env=environment(PORT=str(port), PMS_VAR_DIR=str(folder)),
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(20)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder outside of pytest's own, which other test runs close to the user of PostgreSQL."""
    folder = Path(tempfile.mkdtemp(prefix="pms-run-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_it_starts_everything_and_leaves_nothing_behind(start: Start, place: Path) -> None:
    folder, port = place / "var", free_port()
    process = start(folder, port)
    demo = _wait_for_demo(folder, process, place)
    assert demo["base_url"] == f"http://127.0.0.1:{port}"
    assert set(demo["platform"]) == {"host", "username", "password"}
    assert set(demo["tenants"]) == {"acme", "harbor"}
    assert stat.S_IMODE((folder / "demo.json").stat().st_mode) == 0o600
    assert requests.get(f"{demo['base_url']}/readyz", timeout=10).json()["ready"] is True
    _post_a_booking_and_follow_it(demo)
    _end(process, folder)

    again = start(folder, port)
    eventually(lambda: "The product is running" in (place / "run.log").read_text(), seconds=60)
    assert json.loads((folder / "demo.json").read_text()) == demo
    key = demo["tenants"]["acme"]["api_key"]
    kept = _get(demo, key, "bookings", booking_ref="RUN-1")["results"]
    assert [booking["booking_ref"] for booking in kept] == ["RUN-1"]

    family = _family(again, folder)
    os.kill(int((folder / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    assert again.wait(20) == 1
    assert "make run: PostgreSQL ended by itself (with -9" in (place / "run.log").read_text()
    assert psutil.wait_procs(family, timeout=2)[1] == []


def _wait_for_demo(folder: Path, process: subprocess.Popen[bytes], place: Path) -> dict[str, Any]:
    def is_written() -> bool:
        assert process.poll() is None, (place / "run.log").read_text()
        return (folder / "demo.json").exists()

    eventually(is_written, seconds=90)
    demo: dict[str, Any] = json.loads((folder / "demo.json").read_text())
    return demo


def _get(demo: dict[str, Any], key: str, path: str, **query: str) -> Any:
    answer = requests.get(
        f"{demo['base_url']}/api/v1/{path}", params=query, timeout=10,
        headers={"Authorization": f"Bearer {key}"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    return answer.json()


def _post_a_booking_and_follow_it(demo: dict[str, Any]) -> None:
    key = demo["tenants"]["acme"]["api_key"]
    event = _get(demo, key, "event-types/booking.created")["example"]
    event = {**event, "external_ref": {"source": "run", "booking_ref": "RUN-1"}}
    answer = requests.post(
        f"{demo['base_url']}/api/v1/events", timeout=10,
        headers={"Authorization": f"Bearer {key}"},
        json={"id": "RUN-1", "source": "run", "type": "booking.created", "data": event},
    )  # fmt: skip
    assert answer.status_code == 202, answer.text
    uid = answer.json()["results"][0]["uid"]

    def is_done() -> bool:
        shown = _get(demo, key, f"events/{uid}")
        return shown["state"] == "done" and [d["state"] for d in shown["deliveries"]] == ["done"]

    eventually(is_done, seconds=10)
    calendar = _get(demo, key, "calendar", unit="seaview-101", **{"from": "2027-06-01"})
    nights = [n for entry in calendar["results"] for n in entry["nights"]]
    assert "2027-06-01" in nights
    assert "2027-06-04" not in nights


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Press Ctrl-C; within ten seconds every process it started has to be gone."""
    family = _family(process, folder)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(10) == 0
    assert psutil.wait_procs(family, timeout=2)[1] == []


def _family(process: subprocess.Popen[bytes], folder: Path) -> list[psutil.Process]:
    family = [*psutil.Process(process.pid).children(recursive=True)]
    family += [p for p in psutil.process_iter() if str(folder) in " ".join(_command(p))]
    assert len(family) > 20
    return family
