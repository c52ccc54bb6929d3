"""The floor: one process that runs the steps one after another and commits each. Nothing durable can be faster."""

import sys

import psycopg

from benchmarks import effects, workloads
from benchmarks.peers import piped


class Peer(piped.PipedPeer):
    """See benchmarks.peers.Peer."""

    title = "floor: one process, sequential, one commit a step"
    setup = "a loop over the steps with one autocommitted insert each, psycopg 3"
    packages = ("psycopg",)
    worker_counts, workers_at_kill = (1,), 1
    module = "benchmarks.peers.floor"

    def prepare(self) -> None:
        """One table: which step of which run is done."""
        with psycopg.connect(self.place.database_url, autocommit=True) as connection:
            connection.execute(
                "create table if not exists done (run text, step text, output text, primary key (run, step))"
            )


def main() -> None:
    """The worker."""
    connection = psycopg.connect(sys.argv[1], autocommit=True)

    def execute(workload: str, run: str, again: bool) -> None:
        done = {step for (step,) in connection.execute("select step from done where run = %s", [run])} if again else ()
        for step, _ in workloads.steps(workload):
            if step not in done:
                output = effects.work(workload, run, step)
                connection.execute("insert into done values (%s, %s, %s)", [run, step, output])

    piped.serve(execute, threads=1)


if __name__ == "__main__":
    main()
