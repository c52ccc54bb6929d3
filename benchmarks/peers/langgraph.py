"""LangGraph with its PostgresSaver: a graph of one node a step, every superstep checkpointed before the next."""

import sys
from operator import or_
from typing import Annotated, Any, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import END, START, StateGraph
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from benchmarks import effects, workloads
from benchmarks.peers import piped


class State(TypedDict):
    """Each step's output by its name."""

    outputs: Annotated[dict[str, str], or_]


class Peer(piped.PipedPeer):
    """See benchmarks.peers.Peer."""

    title = "LangGraph + PostgresSaver, sync"
    setup = "compiled graphs, `durability='sync'`, 100 threads and a pool of 20 connections in each process"
    packages = ("langgraph", "langgraph-checkpoint-postgres")
    module = "benchmarks.peers.langgraph"

    def prepare(self) -> None:
        """The saver's own tables."""
        with PostgresSaver.from_conn_string(self.place.database_url) as saver:
            saver.setup()


def compiled(workload: str, saver: PostgresSaver) -> Any:
    """The workload as a graph; a node with several needs waits for all of them."""

    def node(step: str) -> Any:
        def call(state: State, config: RunnableConfig) -> dict[str, dict[str, str]]:
            run = config["configurable"]["thread_id"]
            return {"outputs": {step: effects.work(workload, run, step)}}

        return call

    graph = StateGraph(State)
    needed = set()
    for step, needs in workloads.steps(workload):
        graph.add_node(step, node(step))
        graph.add_edge(needs if len(needs) > 1 else (needs[0] if needs else START), step)
        needed.update(needs)
    for step, _ in workloads.steps(workload):
        if step not in needed:
            graph.add_edge(step, END)
    return graph.compile(checkpointer=saver)


def main() -> None:
    """The worker."""
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    with ConnectionPool(sys.argv[1], min_size=20, max_size=20, kwargs=options) as pool:
        pool.wait()
        saver = PostgresSaver(pool)
        graphs = {workload: compiled(workload, saver) for workload in ("W1", "W2", "W3")}

        def execute(workload: str, run: str, again: bool) -> None:
            start: State | None = None if again else {"outputs": {}}
            graphs[workload].invoke(start, {"configurable": {"thread_id": run}}, durability="sync")

        piped.serve(execute)


if __name__ == "__main__":
    main()
