"""DBOS as a library: an asynchronous workflow whose steps run side by side as the plan allows."""

import asyncio
import sys
from typing import Any

from dbos import DBOS, SetWorkflowID

from benchmarks import effects, workloads
from benchmarks.peers import piped


class Peer(piped.PipedPeer):
    """See benchmarks.peers.Peer."""

    title = "DBOS in-process"
    setup = "async workflows and steps, system database on the same Postgres, a pool of 20 connections in each process"
    packages = ("dbos",)
    module = "benchmarks.peers.dbos"


@DBOS.step()
async def one_step(workload: str, run: str, step: str) -> str:
    """One durable step."""
    return await effects.work_async(workload, run, step)


@DBOS.workflow()
async def whole_run(workload: str, run: str) -> None:
    """The plan, layer by layer: DBOS numbers steps in the order of their calls, which must be the same in a replay."""
    for wave in workloads.waves(workload):
        await asyncio.gather(*(one_step(workload, run, step) for step in wave))


def main() -> None:
    """The worker. Its executor id is its number, so that its successor recovers what it left."""
    DBOS(
        config={
            "name": "bench",
            "system_database_url": sys.argv[1],
            "sys_db_pool_size": 20,
            "executor_id": sys.argv[2],
            "application_version": "bench",
            "log_level": "ERROR",
        }
    )
    DBOS.launch()

    def execute(workload: str, run: str, again: bool) -> None:
        handle: Any
        if again:  # launching has recovered it
            handle = DBOS.retrieve_workflow(run)
        else:
            with SetWorkflowID(run):
                handle = DBOS.start_workflow(whole_run, workload, run)
        handle.get_result(polling_interval_sec=0.05)

    piped.serve(execute)


if __name__ == "__main__":
    main()
