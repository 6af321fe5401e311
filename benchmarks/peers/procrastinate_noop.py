"""Procrastinate, the best-known Python queue on PostgreSQL, with a task that does nothing.

Runs in an environment of its own: `python procrastinate_noop.py URL schema | work | send COUNT`. `send`
prints jobs a second.
"""

import asyncio
import sys
import time

import procrastinate

CONCURRENCY = 10
BATCH = 500
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=sys.argv[1]))


@app.task(queue="noop")
async def noop(n: int) -> None:
    """Do nothing."""


async def _send(count: int) -> float:
    async with app.open_async():
        before = await _count("succeeded")
        started = time.perf_counter()
        for first in range(0, count, BATCH):
            jobs = [{"n": n} for n in range(first, min(first + BATCH, count))]
            await noop.batch_defer_async(*jobs)
        while await _count("todo") + await _count("doing"):
            await asyncio.sleep(0.05)
        took = time.perf_counter() - started
        if (done := await _count("succeeded") - before) != count:
            raise RuntimeError(f"{done} jobs succeeded instead of {count}")
        return count / took


async def _count(status: str) -> int:
    sql = "SELECT count(*) AS n FROM procrastinate_jobs WHERE status = %(status)s::procrastinate_job_status"
    row = await app.connector.execute_query_one_async(sql, status=status)
    return int(row["n"])


async def _make_schema() -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()


if __name__ == "__main__":
    if sys.argv[2] == "schema":
        asyncio.run(_make_schema())
    elif sys.argv[2] == "work":
        app.run_worker(concurrency=CONCURRENCY, install_signal_handlers=True)
    else:
        print(asyncio.run(_send(int(sys.argv[3]))))
