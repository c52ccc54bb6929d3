"""The floor that keeps a journal: the same loop, but each commit also holds the step's row and its two events."""

import json
import sys

import psycopg

from benchmarks import effects, workloads
from benchmarks.peers import floor, piped

TABLES = """
create table if not exists steps (run text, step text, status text, attempt int, output jsonb, primary key (run, step));
create table if not exists events (run text, seq int, name text, data jsonb, primary key (run, seq));
"""


class Peer(floor.Peer):
    """See benchmarks.peers.Peer."""

    title = "floor with a journal: a step's row and two events in each commit"
    setup = "a loop over the steps, each with a transaction of three statements, psycopg 3"
    module = "benchmarks.peers.floor_journal"

    def prepare(self) -> None:
        """Steps and events, as plain as can be."""
        with psycopg.connect(self.place.database_url, autocommit=True) as connection:
            connection.execute(TABLES)


def main() -> None:
    """The worker."""
    connection = psycopg.connect(sys.argv[1], autocommit=True)

    def one_step(workload: str, run: str, step: str, seq: int) -> None:
        output = json.dumps({"output": effects.work(workload, run, step)})
        event = "insert into events values (%s, %s, %s, %s)"
        with connection.transaction():
            connection.execute("insert into steps values (%s, %s, 'succeeded', 1, %s)", [run, step, output])
            connection.execute(event, [run, seq, "step.started", "{}"])
            connection.execute(event, [run, seq + 1, "step.succeeded", output])

    def execute(workload: str, run: str, again: bool) -> None:
        done = {step for (step,) in connection.execute("select step from steps where run = %s", [run])} if again else ()
        for number, (step, _) in enumerate(workloads.steps(workload)):
            if step not in done:
                one_step(workload, run, step, 2 * number)

    piped.serve(execute, threads=1)


if __name__ == "__main__":
    main()
