"""absurd: durable tasks in Postgres functions; workers poll for tasks and checkpoint each step.

The schema is the one that its command `absurdctl` carries (it is applied here, since `absurdctl` wants psql).
"""

import asyncio
import sys
from typing import Any

import absurdctl
import psycopg
from absurd_sdk import Absurd, AsyncAbsurd

from benchmarks import effects, peers, workloads
from benchmarks.peers import Place, Processes

QUEUE = "bench"
# An asynchronous worker has one connection and waits for its whole batch before it claims again, so a process runs
# several of them, each with a small batch.
CLIENTS, BATCH = 4, 8


class Peer:
    """See benchmarks.peers.Peer."""

    title = "absurd, polling 20 ms, claims 10 s"
    setup = f"{CLIENTS} asynchronous workers of {BATCH} tasks in each process, poll_interval=0.02, claim_timeout=10"
    packages = ("absurd-sdk", "absurdctl")
    worker_counts, workers_at_kill, patience = (1, 2), 2, 30.0
    poll_seconds, claim_seconds = 0.02, 10

    def __init__(self, place: Place) -> None:
        self.place = place
        self.processes = Processes(place.home)

    def start(self, workers: int) -> None:
        """See Peer."""
        with psycopg.connect(self.place.database_url, autocommit=True) as connection:
            if connection.execute("select to_regnamespace('absurd')").fetchone() == (None,):
                connection.execute(absurdctl.BUNDLED_SCHEMA_SQL)
        self._client = Absurd(self.place.database_url, queue_name=QUEUE)
        self._client.create_queue(QUEUE)
        for _ in range(workers):
            self._start_one()

    def _start_one(self) -> None:
        arguments = (self.place.database_url, str(self.poll_seconds), str(self.claim_seconds))
        self.processes.start(sys.executable, "-m", "benchmarks.peers.absurd", *arguments)

    def submit(self, workload: str, run: str) -> str:
        """See Peer."""
        # a client is one connection, so several threads take turns
        return self._client.spawn(workload, {"run": run}, queue=QUEUE)["task_id"]

    def wait(self, handle: str, timeout: float) -> None:
        """See Peer."""
        peers.until(lambda: self._finished(handle), timeout)

    def _finished(self, handle: str) -> bool:
        result = self._client.fetch_task_result(handle, queue_name=QUEUE)
        if result is not None and result.state in {"failed", "cancelled"}:
            raise RuntimeError(f"{handle} {result.state}: {result.failure}")
        return result is not None and result.state == "completed"

    def revive(self, handle: str) -> None:
        """A new worker; claims run out by themselves."""
        self._start_one()

    def stop(self) -> None:
        """See Peer."""
        self.processes.stop()


def handler(workload: str) -> Any:
    """The plan as a task: each step starts when what it needs is done."""

    async def run(params: dict[str, str], context: Any) -> str:
        done: dict[str, asyncio.Task[str]] = {}

        async def one(step: str, needs: list[str]) -> str:
            for need in needs:
                await done[need]
            return str(await context.step(step, lambda: effects.work_async(workload, params["run"], step)))

        for step, needs in workloads.steps(workload):
            done[step] = asyncio.ensure_future(one(step, needs))
        await asyncio.gather(*done.values())
        return "ok"

    return run


async def work(url: str, poll_seconds: float, claim_seconds: int) -> None:
    """The worker."""
    clients = [AsyncAbsurd(url, queue_name=QUEUE) for _ in range(CLIENTS)]
    for client in clients:
        for workload in ("W1", "W2", "W3"):
            client.register_task(workload)(handler(workload))
    options = {"claim_timeout": claim_seconds, "concurrency": BATCH, "poll_interval": poll_seconds}
    await asyncio.gather(
        *(client.start_worker(f"{n}@{id(client)}", **options) for n, client in enumerate(clients))  # type: ignore[arg-type]
    )


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
