"""What the raw figures of `benchmarks.measure` say: one function a number that the report and the plot show."""

import statistics
from collections.abc import Callable
from typing import Any

from benchmarks import workloads

CRITICAL = workloads.LATTICE_CRITICAL_PATH * workloads.STEP_SECONDS
Figures = dict[str, Any]


def one(peer: Figures, workload: str, what: str = "ms") -> float | None:
    """Median of the single runs, in ms."""
    values = [run[what] for run in peer["one"][workload] if what in run]
    return statistics.median(values) if values else None


def together(peer: Figures, workload: str, what: Callable[[Figures], float], best: Callable[..., float] = max) -> float:
    """The best over worker counts of the median over repeats."""
    return best(statistics.median(what(run) for run in counts[workload]) for counts in peer["together"].values())


def speed(peer: Figures, workload: str) -> float:
    """Steps per second."""
    return together(peer, workload, lambda run: run["steps_per_second"])


def processor(peer: Figures, workload: str) -> float:
    """Ms of processor time a step, of all processes but the client."""
    return together(peer, workload, lambda run: sum(run["cpu_ms_per_step"].values()), min)


def makespan(peer: Figures, what: str = "ms") -> float | None:
    """One W3 ÷ its critical path."""
    value = one(peer, "W3", what)
    return value / (CRITICAL * 1e3) if value is not None else None


def lattices(peer: Figures) -> float:
    """Many W3 at once ÷ the critical path of one."""
    return together(peer, "W3", lambda run: run["seconds"], min) / CRITICAL


def seconds_after_kill(peer: Figures) -> float | None:
    """The longest that a run took to go on and end by itself after its worker was killed; None if one did not."""
    alone = [kill["seconds"] for kill in peer["kills"] if kill["by_itself"]]
    return max(alone) if len(alone) == len(peer["kills"]) else None
