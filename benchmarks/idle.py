"""P9: what a stack costs that has nothing to do, as `make run` starts it, servers included."""

import os
import shutil
import tempfile
import time
from pathlib import Path

import psutil

from config.run import prepare
from config.servers import free_port
from config.stack import open_stack
from config.supervisor import read_procfile

SECONDS = float(os.environ.get("BENCH_IDLE_SECONDS", "30"))
_SETTLE_SECONDS = 20.0


def measure(*, runs: int) -> tuple[list[float], list[float]]:
    """Give percent of one core and megabytes (PSS) of all processes, for some periods."""
    folder = Path(tempfile.mkdtemp(prefix="pms-idle-"))
    given = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "CELERY_BROKER_URL")}
    stack = open_stack(folder, port=free_port(), given=given)
    try:
        prepare(stack, folder / "demo.json")
        stack.start_processes()
        time.sleep(_SETTLE_SECONDS)
        cpu, memory = [], []
        for _ in range(runs):
            processes = _of(folder, stack.supervisor)
            before, started = _cpu(processes), time.monotonic()
            time.sleep(SECONDS)
            used = _cpu(processes) - before
            cpu.append(100 * used / (time.monotonic() - started))
            memory.append(sum(p.memory_full_info().pss for p in processes) / 1e6)
            print(
                f"idle: {cpu[-1]:.2f} % of a core, {memory[-1]:.0f} MB in {len(processes)} processes"
            )
        return cpu, memory
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _of(folder: Path, supervisor: object) -> list[psutil.Process]:
    """The stack's processes: those of the Procfile and the servers that work in the folder."""
    root = Path(__file__).resolve().parent.parent
    heads = [
        psutil.Process(supervisor.pid_of(name))  # type: ignore[attr-defined]
        for name in read_procfile(root / "Procfile")
    ]
    heads += [
        p
        for p in psutil.Process().children()
        if any(str(folder) in part for part in p.cmdline()) and p not in heads
    ]
    family = [child for head in heads for child in head.children(recursive=True)]
    return list({p.pid: p for p in [*heads, *family]}.values())


def _cpu(processes: list[psutil.Process]) -> float:
    return sum(sum(p.cpu_times()[:2]) for p in processes if p.is_running())
