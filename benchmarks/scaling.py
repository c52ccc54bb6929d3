"""Throughput against the number of execution processes: `python -m benchmarks.scaling [--quick]`.

Each count gets a fresh set of processes on the same servers. More processes than cores can help only work that waits.
"""

import argparse
import os
import statistics
import time

from benchmarks import engine, report, workloads

COUNTS = (1, 2, 4)


def main() -> None:
    """Measure and put the table into docs/performance.md."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    chosen = options.parse_args()
    many, lattices, repeats = (20, 5, 1) if chosen.quick else (200, 20, 3)
    load = os.getloadavg()[0]
    rows = []
    with engine.servers() as (home, _):
        for count in COUNTS:
            with engine.processes(home, execution=count) as bench:
                bench.many(workloads.chain(), 10)
                measured = [_measure(bench, many, lattices) for _ in range(repeats)]
            rows.append((count, *(statistics.median(values) for values in zip(*measured))))
    lines = [
        f"{many} runs of W1 and W2 at once, {lattices} of W3; median of {repeats}; {os.cpu_count()} cores, load average "
        f"before {load:.2f}.\n",
        "| execution processes | W1 steps/s | W1 CPU ms/step | W2 steps/s | W2 CPU ms/step | W3 ÷ critical path |",
        "| --- | --- | --- | --- | --- | --- |",
        *(f"| {n} | {w1:,.0f} | {c1:.2f} | {w2:,.0f} | {c2:.2f} | {w3:.2f} |" for n, w1, c1, w2, c2, w3 in rows),
    ]
    report.section("scaling", "\n".join(lines), quick=chosen.quick)


def _measure(bench: engine.Bench, many: int, lattices: int) -> tuple[float, ...]:
    chain, chain_parts = bench.many(workloads.chain(), many)
    fan, fan_parts = bench.many(workloads.fan(), many)
    begun = time.monotonic()
    bench.many(workloads.lattice(), lattices)
    took = time.monotonic() - begun
    path = workloads.LATTICE_CRITICAL_PATH * workloads.STEP_SECONDS
    return chain, sum(chain_parts.values()), fan, sum(fan_parts.values()), took / path


if __name__ == "__main__":
    main()
