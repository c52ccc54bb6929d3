"""What a step did outside the system under test: lines in one file, written by every worker process of every peer.

`begun` is the effect (a mail that left, say) and `done` the end of the work; a step with two `begun` lines has had its
effect twice. Appended with one write, so that lines of several processes never mix.
"""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import workloads

VARIABLE = "BENCH_EFFECTS"


def work(workload: str, run: str, step: str) -> str:
    """One step: nothing in W1 and W2, an effect and a wait in W3."""
    if workload == "W3":
        with recorded(run, step):
            time.sleep(workloads.STEP_SECONDS)
    return "ok"


async def work_async(workload: str, run: str, step: str) -> str:
    """The same on an event loop."""
    if workload == "W3":
        with recorded(run, step):
            await asyncio.sleep(workloads.STEP_SECONDS)
    return "ok"


@contextmanager
def recorded(run: str, step: str) -> Iterator[None]:
    """The effect happens on entry; what is inside the block is the rest of the work."""
    _write(run, step, "begun")
    yield
    _write(run, step, "done")


def _write(run: str, step: str, what: str) -> None:
    line = json.dumps({"run": run, "step": step, "what": what, "pid": os.getpid(), "at": time.time()}) + "\n"
    file = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line.encode())
    os.close(file)


class Log:
    """The reader's side of the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def clear(self) -> None:
        """Forget what was; only between measurements."""
        self.path.write_text("")

    def lines(self) -> list[dict[str, Any]]:
        """All lines so far, in the order in which they were written."""
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def span(self) -> float:
        """Seconds from the first effect to the end of the last step."""
        times = [line["at"] for line in self.lines()]
        return float(max(times) - min(times))

    def doubled(self, *, though_done: bool = False) -> int:
        """Effects beyond the first of each step; though_done: only those of steps that had been done before."""
        seen: set[tuple[str, str, str]] = set()
        again = 0
        for line in self.lines():
            step = line["run"], line["step"]
            if line["what"] == "begun":
                again += (*step, "done" if though_done else "begun") in seen
            seen.add((*step, line["what"]))
        return again

    def in_flight(self) -> Counter[int]:
        """By process: steps that have begun and are not done."""
        open_now: Counter[int] = Counter()
        for line in self.lines():
            open_now[line["pid"]] += 1 if line["what"] == "begun" else -1
        return open_now
