"""What sleepers cost: `python -m benchmarks.sleeping [--runs 100000] [--seconds 30]`.

Fills the tables with copies of one run that sleeps for a month, on a whole stack of its own; then prints the processor
time of each part while nothing happens, what each query of a sweep costs Postgres, and how fast a new run is beside them.
"""

import argparse
import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg

import migrations
from benchmarks import processor_time
from services import settings, tenants
from services.journal import runs
from services.pipeline import embedded_servers
from tests import runs as started
from tests import stack as stacks

# copies of one sleeping run, the first of which is due in a month, and all others later
COPY = """
create temp table copies as select gen_random_uuid() as id, n from generate_series(1, %(count)s) as n;
insert into runs select made.* from runs r, copies c, lateral jsonb_populate_record(r, jsonb_build_object(
    'id', c.id, 'conversation_id', 'copy ' || c.n, 'created_at', r.created_at - c.n * interval '1 second'
)) made where r.id = %(run)s;
insert into plans select made.* from plans t, copies c,
    lateral jsonb_populate_record(t, jsonb_build_object('run_id', c.id)) made where t.run_id = %(run)s;
insert into steps select made.* from steps t, copies c, lateral jsonb_populate_record(t, jsonb_build_object(
    'run_id', c.id, 'due_at', t.due_at + c.n * interval '1 second')) made where t.run_id = %(run)s;
insert into events select made.* from events t, copies c,
    lateral jsonb_populate_record(t, jsonb_build_object('run_id', c.id)) made where t.run_id = %(run)s;
insert into attempts select made.* from attempts t, copies c,
    lateral jsonb_populate_record(t, jsonb_build_object('run_id', c.id)) made where t.run_id = %(run)s;
"""
MONTH = 30 * 86_400
QUEUE_OF_PHASE = '{"plan": "planning", "execute": "reflection", "reflect": "reflection", "remember": "reflection"}'
DRAINED = "'{planning,execution,reflection}'"
QUERIES = {
    "due timers and lost steps": f"select sweep_steps('{{execution}}', {DRAINED}, 500)",
    "lost phases": f"select sweep_phases('{QUEUE_OF_PHASE}', {DRAINED}, 500)",
    "hung steps": "select lose_hung_steps(500)",
    "silent workers": "select overdue_workers(8)",
    "turns at flow keys": "select flow_waited_at()",
    "marks": "select send_mark('execution', '{}')",
}


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=100_000)
    options.add_argument("--seconds", type=float, default=30)
    chosen = options.parse_args()
    home = Path(tempfile.mkdtemp(prefix="perdure-bench-"))
    os.environ.update(PERDURE_HOME=str(home), PERDURE_EMBEDDED="1", PERDURE_AUTH="off")
    print(f"load average before: {os.getloadavg()[0]:.2f}, {psutil.cpu_count()} cores", flush=True)
    with ExitStack() as at_the_end:
        addresses = at_the_end.enter_context(embedded_servers.running(home))
        os.environ.update(DATABASE_URL=addresses.database_url, REDIS_URL=addresses.redis_url)
        settings.current.cache_clear()
        migrations.upgrade()
        at_the_end.enter_context(stacks.running(home, "web", *stacks.WORKERS))
        sleeper = started.start(started.chain(1, tool="sleep", seconds=MONTH))
        started.wait_until(lambda: runs.get("default", sleeper).open_steps == 1)
        time.sleep(3)
        before = _new_run_ms()
        _show_idle(home, chosen.seconds, "one run sleeps")
        _fill(addresses.database_url, sleeper, chosen.runs)
        _show_idle(home, chosen.seconds, f"{chosen.runs:,} runs sleep")
        _show_queries(addresses.database_url)
        print(f"a new run of three steps, p50 ms: {before:.1f} beside one, {_new_run_ms():.1f} beside all", flush=True)


def _fill(url: str, run_id: str, count: int) -> None:
    begun = time.monotonic()
    superuser = embedded_servers.as_superuser(url)
    with psycopg.connect(superuser, autocommit=True, cursor_factory=psycopg.ClientCursor) as person:
        person.execute(COPY, {"run": run_id, "count": count})
        person.execute("vacuum analyze")
        person.execute("checkpoint")
    print(f"{count:,} sleeping runs written in {time.monotonic() - begun:.0f} s", flush=True)


def _show_idle(home: Path, seconds: float, what: str) -> None:
    """Percent of one core that each part takes while nothing happens."""
    time.sleep(5)
    before = processor_time.by_part(home)
    time.sleep(seconds)
    used = {part: (now - before.get(part, 0)) / seconds * 100 for part, now in processor_time.by_part(home).items()}
    parts = ", ".join(f"{part} {share:.2f}" for part, share in used.items())
    print(f"{what}, % of one core over {seconds:g} s: {sum(used.values()):.2f} ({parts})", flush=True)


def _show_queries(url: str) -> None:
    """What each query of a sweep takes in Postgres, by EXPLAIN ANALYZE: median and worst of twenty."""
    with psycopg.connect(url, autocommit=True, options=tenants.FOR_EVERY) as person:
        for name, query in QUERIES.items():
            took = []
            for _ in range(20):
                (plan,) = person.execute(f"explain (analyze, format json) {query}").fetchone() or ([],)
                took.append(plan[0]["Execution Time"])
            print(f"  {name}: {statistics.median(took):.2f} ms, at most {max(took):.2f} ms", flush=True)


def _new_run_ms() -> float:
    """Create to end of a chain of three no-op steps, in ms."""
    took = []
    for _ in range(12):
        begun = time.monotonic()
        started.wait_for(started.start(started.chain(3, tool="noop")))
        took.append((time.monotonic() - begun) * 1e3)
    return statistics.median(took[2:])


if __name__ == "__main__":
    main()
