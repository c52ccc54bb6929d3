"""The same speed with a long history? `python -m benchmarks.history [--quick] [--runs 100000]`.

Measures, fills the tables with copies of one finished run of four steps, and measures again on the same processes.
"""

import argparse
import os
import statistics
import time

import httpx2
import psycopg

from benchmarks import engine, report, workloads
from services.pipeline import embedded_servers

# copies of one run, each a second older than the one before; their ids sort by age as real ones do
COPIES = """
create temp table copies as
select uuidv7(- n * interval '1 second' - interval '1 minute') as id, n from generate_series(1, %(count)s) as n;
"""
COPY_RUNS = """
insert into runs select made.* from runs r, copies c, lateral jsonb_populate_record(r, jsonb_build_object(
    'id', c.id, 'conversation_id', 'copy ' || c.n, 'created_at', r.created_at - c.n * interval '1 second',
    'started_at', r.started_at - c.n * interval '1 second', 'finished_at', r.finished_at - c.n * interval '1 second'
)) made where r.id = %(run)s
"""
COPY_ROWS = """
insert into {table} select made.* from {table} t, copies c,
    lateral jsonb_populate_record(t, jsonb_build_object('run_id', c.id)) made where t.run_id = %(run)s
"""
TABLES = ("plans", "steps", "events")


def main() -> None:
    """Measure and put the table into docs/performance.md."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--runs", type=int, default=100_000)
    chosen = options.parse_args()
    count, load = 2_000 if chosen.quick else chosen.runs, os.getloadavg()[0]
    with engine.servers() as (home, addresses), engine.processes(home) as bench:
        model = bench.ended(bench.submit(workloads.chain(4)))
        bench.many(workloads.chain(), 10)
        empty = _measured(bench, quick=chosen.quick)
        size, took = fill(addresses.database_url, str(model.id), count)
        full = _measured(bench, quick=chosen.quick)
    lines = [
        f"{count:,} finished runs of four steps ({size}, written in {took:.0f} s) beside an empty database, same "
        f"processes; load average before {load:.2f}.\n",
        "| | empty | full | full ÷ empty |",
        "| --- | --- | --- | --- |",
        *(f"| {name} | {empty[name]:,.1f} | {full[name]:,.1f} | {full[name] / empty[name]:.2f} |" for name in empty),
    ]
    report.section("history", "\n".join(lines), quick=chosen.quick)


def fill(database_url: str, run_id: str, count: int) -> tuple[str, float]:
    """`count` copies of that run, vacuumed and flushed; returns the database's size and the seconds it took."""
    begun = time.monotonic()
    with psycopg.connect(embedded_servers.as_superuser(database_url), autocommit=True) as connection:
        connection.execute(COPIES.replace("%(count)s", str(count)))
        connection.execute(COPY_RUNS, {"run": run_id})
        for table in TABLES:
            connection.execute(COPY_ROWS.format(table=table).encode(), {"run": run_id})
        # what autovacuum would have done long before a history is that old
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
        row = connection.execute("select pg_size_pretty(pg_database_size(current_database()))").fetchone()
    return str(row[0]) if row else "", time.monotonic() - begun


def _measured(bench: engine.Bench, *, quick: bool) -> dict[str, float]:
    singles, many, repeats = (3, 20, 1) if quick else (20, 200, 3)
    found: dict[str, float] = {}
    for name, plan in {"W1": workloads.chain(), "W2": workloads.fan(), "W3": workloads.lattice()}.items():
        spans, totals, _ = zip(*(bench.one(plan) for _ in range(singles)))
        found[f"{name} one run, its steps, ms"] = statistics.median(spans)
        found[f"{name} one run, POST to end, ms"] = statistics.median(totals)
    for name, plan in {"W1": workloads.chain(), "W2": workloads.fan()}.items():
        rounds = [bench.many(plan, many) for _ in range(repeats)]
        found[f"{name} × {many}, steps/s"] = statistics.median(speed for speed, _ in rounds)
        found[f"{name} × {many}, CPU ms a step"] = statistics.median(sum(parts.values()) for _, parts in rounds)
    found["GET /api/runs, ms"] = _get(f"{bench.url}/api/runs?limit=20")
    return found


def _get(url: str) -> float:
    """Median ms of a few calls."""
    with httpx2.Client() as client:
        took = []
        for _ in range(20):
            begun = time.perf_counter()
            client.get(url).raise_for_status()
            took.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(took)


if __name__ == "__main__":
    main()
