"""What a bigger deployment would need, computed from what a step was measured to cost: `python -m benchmarks.scale_model`.

Reads the costs of W1 out of docs/performance.md, so it says something new when they are measured anew.
"""

import re
from dataclasses import dataclass
from pathlib import Path

PERFORMANCE = Path(__file__).parents[1] / "docs/performance.md"
BEATS_EVERY = 2.0  # seconds, PERDURE_HEARTBEAT_SECONDS
BEAT_COST = 0.34  # milliseconds of Postgres, as a step's: one call that writes one row
SLOTS = 100  # EXECUTION_CONCURRENCY


@dataclass(frozen=True)
class Costs:
    """Of one step of W1. cores: milliseconds of processor time by part. commits: writing transactions. log: bytes."""

    cores: dict[str, float]
    commits: float
    log: float


def measured() -> Costs:
    """As docs/performance.md has them."""
    text = PERFORMANCE.read_text()
    parts = re.search(r"^- Perdure: (.*)$", text, re.MULTILINE)
    row = re.search(r"^\| \*\*Perdure\*\* \| ([\d.]+) \| ([\d,]+) \| [\d.]+ \| [\d.]+ \|$", text, re.MULTILINE)
    if parts is None or row is None:
        raise SystemExit("docs/performance.md has no costs of Perdure: run `make bench`.")
    cores = {name: float(cost) for name, cost in re.findall(r"(\w+) ([\d.]+)", parts[1])}
    return Costs(cores, float(row[1]), float(row[2].replace(",", "")))


def needs(costs: Costs, runs_a_minute: int, steps: int, workers: int, pool: int) -> list[tuple[str, str]]:
    """(what, how much) for that load."""
    a_second = runs_a_minute * steps / 60
    beats = workers / BEATS_EVERY
    postgres = a_second * costs.cores["postgres"] + beats * BEAT_COST
    processes = sum(cost for name, cost in costs.cores.items() if name.endswith("_worker"))
    return [
        ("steps a second", f"{a_second:,.0f}"),
        ("cores of Postgres", f"{postgres / 1000:.2f}"),
        ("commits a second", f"{a_second * costs.commits + beats:,.0f}"),
        ("write-ahead log, MB/s", f"{a_second * costs.log / 1e6:.1f}"),
        ("cores of all workers", f"{a_second * processes / 1000:.2f}"),
        ("cores of the gateways", f"{a_second * costs.cores['gunicorn'] / 1000:.2f}"),
        ("cores of Redis", f"{a_second * costs.cores['valkey'] / 1000:.2f}"),
        (f"connections of the workers, DB_POOL_SIZE={pool}", f"{workers * pool:,}"),
        ("longest mean wait of a tool that the slots bear, s", f"{workers * SLOTS / a_second:.1f}"),
    ]


def table() -> str:
    """For three sizes, as Markdown."""
    costs = measured()
    sizes = [(1_000, 10, 8), (10_000, 100, 2), (30_000, 100, 2)]
    columns = [needs(costs, load, 10, workers, pool) for load, workers, pool in sizes]
    head = "".join(f" {load:,} runs/min, {workers} workers |" for load, workers, _ in sizes)
    lines = [f"| 10 steps a run |{head}", f"| --- |{' ---: |' * len(sizes)}"]
    for rows in zip(*columns, strict=True):
        name = rows[-1][0].split(", DB_POOL")[0]
        lines.append(f"| {name} | {' | '.join(value for _, value in rows)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
