"""The engine through the real gateway and the real workers: `python -m benchmarks.engine [--rounds N] [--events]`.

Starts a stack of its own on embedded servers, one process of each kind with its default concurrency. Every step is
checkpointed in Postgres with synchronous commit. Prints latencies of single runs, throughput of many, processor time.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

import migrations
from benchmarks import effects, processor_time, workloads
from services import settings
from services.journal import events, runs, steps
from services.pipeline import embedded_servers
from tests import stack as stacks

TENANT = "default"


class Bench:
    """A stack under measurement."""

    def __init__(self, home: Path, url: str) -> None:
        self.home, self.url = home, url
        self._http = httpx2.Client(base_url=url, timeout=60)

    def submit(self, plan: workloads.Plan) -> str:
        """Start a run; returns its id."""
        return self._started({"plan": plan})

    def ask(self, request: str) -> str:
        """Start a run that is planned first; returns its id."""
        return self._started({"request": request})

    def _started(self, body: dict[str, Any]) -> str:
        answer = self._http.post("/api/agent/start", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["workflowId"])

    def ended(self, run_id: str, *, every: float = 0.003) -> runs.Run:
        """The run, once it has succeeded; looks at it `every` so many seconds."""
        while True:
            run = runs.get(TENANT, run_id)
            if run.finished_at:
                assert run.status == "succeeded", run.error
                return run
            time.sleep(every)

    def one(self, plan: workloads.Plan) -> tuple[float, float, float]:
        """One run alone, in ms: first step started to last finished, POST to run.succeeded, the POST."""
        begun = time.time()
        run_id = self.submit(plan)
        posted = time.time()
        run = self.ended(run_id)
        done = steps.of_run(run.id)
        first = min(step.started_at for step in done if step.started_at)
        last = max(step.finished_at for step in done if step.finished_at)
        finished = run.finished_at.timestamp() if run.finished_at else 0.0
        return (last - first).total_seconds() * 1e3, (finished - begun) * 1e3, (posted - begun) * 1e3

    def many(self, plan: workloads.Plan, count: int) -> tuple[float, dict[str, float]]:
        """`count` runs at once: steps per second, and ms of processor time a step by part."""
        before, begun = processor_time.by_part(self.home), time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            started = list(pool.map(lambda _: self.submit(plan), range(count)))
        for run_id in reversed(started):
            self.ended(run_id, every=0.05)
        took, after = time.monotonic() - begun, processor_time.by_part(self.home)
        total = count * len(plan["steps"])
        return total / took, {part: (after[part] - before.get(part, 0)) / total * 1e3 for part in after}


Addresses = embedded_servers.Addresses


@contextmanager
def servers() -> Iterator[tuple[Path, Addresses]]:
    """Postgres and Valkey with Perdure's tables, in a folder that is thrown away; this process uses them too."""
    home = Path(tempfile.mkdtemp(prefix="perdure-bench-"))
    os.environ.update(
        PERDURE_HOME=str(home),
        PERDURE_EMBEDDED="1",
        PERDURE_AUTH="off",
        PERDURE_TOOLS="benchmarks.tools",
        **{effects.VARIABLE: str(home / "effects.log")},
    )
    try:
        with embedded_servers.running(home) as addresses:
            os.environ.update(DATABASE_URL=addresses.database_url, REDIS_URL=addresses.redis_url)
            settings.current.cache_clear()
            migrations.upgrade()
            yield home, addresses
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def processes(home: Path, execution: int = 1, **environment: str) -> Iterator[Bench]:
    """One process of each kind, but so many execution workers; `environment` is for them alone."""
    running = stacks.Stack(home, **environment)
    try:
        for _ in range(execution):
            running.start("execution")
        running.ensure("web", *stacks.WORKERS)
        running.wait_for_workers(list(stacks.WORKERS))
        yield Bench(home, running.url)
    finally:
        running.stop()


@contextmanager
def stack() -> Iterator[Bench]:
    """A whole stack."""
    with servers() as (home, _), processes(home) as bench:
        yield bench


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=20, help="single runs of each workload")
    options.add_argument("--many", type=int, default=200, help="runs at once")
    options.add_argument("--events", action="store_true", help="show when each event of a chain happened")
    chosen = options.parse_args()
    with stack() as bench:
        for name, plan in {"W1": workloads.chain(), "W2": workloads.fan(), "W3": workloads.lattice()}.items():
            for _ in range(3):
                bench.one(plan)
            span, total, post = (
                statistics.median(side) for side in zip(*(bench.one(plan) for _ in range(chosen.rounds)))
            )
            print(
                f"{name} one run, p50 ms: steps {span:.1f}, POST to run.succeeded {total:.1f}, POST {post:.1f}",
                flush=True,
            )
        if chosen.events:
            _show_events(bench)
        for name, plan in {"W1": workloads.chain(), "W2": workloads.fan()}.items():
            speed, parts = bench.many(plan, chosen.many)
            shares = ", ".join(f"{part} {used:.2f}" for part, used in parts.items())
            print(
                f"{name} × {chosen.many}: {speed:.0f} steps/s, {sum(parts.values()):.2f} ms CPU a step ({shares})",
                flush=True,
            )
        begun = time.time()
        ids = [bench.submit(workloads.lattice()) for _ in range(20)]
        last = max(bench.ended(run_id).finished_at.timestamp() for run_id in ids)  # type: ignore[union-attr]
        path = workloads.LATTICE_CRITICAL_PATH * 0.05
        print(f"20 × W3: {(last - begun) / path:.2f} × critical path", flush=True)


def _show_events(bench: Bench) -> None:
    run = bench.ended(bench.submit(workloads.chain()))
    for event in events.after(run.id, 0):
        print(f"  {event['at'][17:]} {event['name']} {event['stepId'] or ''}")


if __name__ == "__main__":
    main()
