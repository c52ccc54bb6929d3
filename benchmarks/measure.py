"""Measure one peer: `python -m benchmarks.measure NAME …`, started by benchmarks.compare in the environment it needs.

The same client for all: what it times is from `submit` to the moment at which it knows that the run has succeeded.
"""

import argparse
import importlib
import json
import os
import platform
import signal
import statistics
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psycopg
from redis import Redis

from benchmarks import effects, processor_time, workloads
from benchmarks.peers import NotHere, Peer, Place

STEPS = {name: len(workloads.steps(name)) for name in ("W1", "W2", "W3")}
# a run that takes longer than this is stuck
STUCK = 120.0


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    singles: int  # runs one after the other
    many: int  # runs at once, W1 and W2
    lattices: int  # runs at once, W3
    repeats: int
    kills: int
    patience: float  # longest wait for a run whose worker was killed, in seconds


FULL = Sizes(singles=20, many=200, lattices=20, repeats=3, kills=3, patience=300)
QUICK = Sizes(singles=3, many=20, lattices=5, repeats=1, kills=1, patience=15)


class Measurement:
    """One peer under measurement; `figures` grows."""

    def __init__(self, peer: Peer, place: Place, sizes: Sizes) -> None:
        self.peer, self.place, self.sizes = peer, place, sizes
        self.log = effects.Log(Path(os.environ[effects.VARIABLE]))
        self.valkey = int(Redis.from_url(place.redis_url).info("server")["process_id"])
        self.postgres = psycopg.connect(place.database_url, autocommit=True)
        self.figures: dict[str, Any] = {
            "title": peer.title,
            "setup": peer.setup,
            "versions": {name: metadata.version(name) for name in peer.packages}
            | {"Python": platform.python_version()},
            "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
            "load_before": os.getloadavg()[0],
        }

    def everything(self) -> None:
        """All workloads."""
        for workers in self.peer.worker_counts:
            self.peer.start(workers)
            try:
                for workload in STEPS:
                    self._one(workload)
                if workers == 1:
                    self.figures["one"] = {workload: self._singles(workload) for workload in STEPS}
                together = {workload: self._repeated(workload) for workload in STEPS}
                self.figures.setdefault("together", {})[str(workers)] = together
            finally:
                self.peer.stop()
        self.figures["kills"] = [self._kill() for _ in range(self.sizes.kills)]

    def _submit(self, workload: str) -> Any:
        return self.peer.submit(workload, f"{workload}-{uuid.uuid4().hex}")

    def _one(self, workload: str) -> dict[str, float]:
        self.log.clear()
        begun = time.perf_counter()
        handle = self._submit(workload)
        accepted = time.perf_counter()
        self.peer.wait(handle, STUCK)
        figures = {"ms": (time.perf_counter() - begun) * 1e3, "accepted_ms": (accepted - begun) * 1e3}
        if hasattr(self.peer, "seconds_of_steps"):
            figures["steps_ms"] = self.peer.seconds_of_steps(handle) * 1e3
        elif workload == "W3":
            figures["steps_ms"] = self.log.span() * 1e3
        return figures

    def _singles(self, workload: str) -> list[dict[str, float]]:
        return [self._one(workload) for _ in range(self.sizes.singles)]

    def _repeated(self, workload: str) -> list[dict[str, Any]]:
        count = self.sizes.lattices if workload == "W3" else self.sizes.many
        return [self._together(workload, count) for _ in range(self.sizes.repeats)]

    def _together(self, workload: str, count: int) -> dict[str, Any]:
        """`count` runs at once, from the first submission to the last end."""
        self.log.clear()
        total = count * STEPS[workload]
        written, used, own = self._written(), self._used(), processor_time.own()
        begun = time.perf_counter()
        with ThreadPoolExecutor(4) as pool:
            handles = list(pool.map(lambda _: self._submit(workload), range(count)))
        for handle in reversed(handles):
            self.peer.wait(handle, STUCK)
        seconds = time.perf_counter() - begun
        used_now, written_now = self._used(), self._written()
        cpu = {part: (used_now[part] - used.get(part, 0)) / total * 1e3 for part in used_now}
        return {
            "runs": count,
            "seconds": seconds,
            "steps_per_second": total / seconds,
            "cpu_ms_per_step": cpu,
            "client_cpu_ms_per_step": (processor_time.own() - own) / total * 1e3,
            "commits_per_step": (written_now[0] - written[0]) / total,
            "log_bytes_per_step": (written_now[1] - written[1]) / total,
        }

    def _used(self) -> dict[str, float]:
        return processor_time.by_part(self.place.home.parent, [self.valkey])

    def _written(self) -> tuple[int, int]:
        """Transactions that have written, and bytes of Postgres's write-ahead log, so far."""
        query = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint, pg_current_wal_insert_lsn() - '0/0'"
        transactions, log_bytes = self.postgres.execute(query).fetchone() or (0, 0)
        return int(transactions), int(log_bytes)

    def _kill(self) -> dict[str, Any]:
        """W4: kill -9 of one of two workers in the middle of one W3."""
        self.peer.start(self.peer.workers_at_kill)
        try:
            self._one("W3")
            self.log.clear()
            handle = self._submit("W3")
            victim = self._until_the_middle()
            os.kill(victim, signal.SIGKILL)
            killed = time.monotonic()
            lost = self.log.in_flight()[victim]
            patience = min(self.peer.patience, self.sizes.patience)
            by_itself = self._ends(handle, patience)
            ended = by_itself
            if not by_itself:
                self.peer.revive(handle)
                killed = time.monotonic()
                ended = self._ends(handle, patience)
            return {
                "in_flight_at_victim": lost,
                "by_itself": by_itself,
                "ended": ended,
                "seconds": time.monotonic() - killed,
                "doubled": self.log.doubled(),
                "doubled_though_done": self.log.doubled(though_done=True),
            }
        finally:
            self.peer.stop()

    def _until_the_middle(self) -> int:
        """Returns the process with the most steps in flight."""
        until = time.monotonic() + STUCK
        while time.monotonic() < until:
            lines = self.log.lines()
            if sum(line["what"] == "begun" for line in lines) >= 8 and (in_flight := +self.log.in_flight()):
                return in_flight.most_common(1)[0][0]
            time.sleep(0.002)
        raise TimeoutError("the run never came to its middle")

    def _ends(self, handle: Any, timeout: float) -> bool:
        try:
            self.peer.wait(handle, timeout)
        except TimeoutError:
            return False
        return True


def main() -> None:
    """Measure and write the figures; a peer that can't be measured is a figure too."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("name")
    for name in ("--home", "--programs", "--out"):
        options.add_argument(name, type=Path, required=True)
    options.add_argument("--database", required=True)
    options.add_argument("--redis", required=True)
    options.add_argument("--quick", action="store_true")
    chosen = options.parse_args()
    os.environ[effects.VARIABLE] = str(chosen.home / "effects.log")
    place = Place(chosen.home, chosen.database, chosen.redis, chosen.programs)
    figures: dict[str, Any] = {}
    try:
        peer: Peer = importlib.import_module(f"benchmarks.peers.{chosen.name}").Peer(place)
        measurement = Measurement(peer, place, QUICK if chosen.quick else FULL)
        figures = measurement.figures
        measurement.everything()
    except (NotHere, ImportError) as reason:
        figures["not_here"] = str(reason)
    finally:
        chosen.out.write_text(json.dumps(figures, indent=1))
    if "one" in figures:
        print(f"{chosen.name}: W1 {statistics.median(one['ms'] for one in figures['one']['W1']):.0f} ms", flush=True)


if __name__ == "__main__":
    main()
