"""What Perdure wants to reach, held against one run's figures: met or missed, with the number."""

from collections.abc import Callable
from typing import Any

from benchmarks import figures
from benchmarks.figures import Figures

DURABLE = ("restate", "absurd", "absurd_defaults", "langgraph", "dbos")
# what it is, how to work it out of Perdure's figures and everybody's, whether it may be at most or must be at least
Target = tuple[str, Callable[[Figures, dict[str, Figures]], Any], str, float]


def _best(value: Callable[[Figures], Any], everybody: dict[str, Figures], choose: Callable[..., Any]) -> float:
    return float(choose(value(everybody[name]) for name in DURABLE if name in everybody))


def _one(peer: Figures, workload: str, what: str = "ms") -> float:
    value = figures.one(peer, workload, what)
    if value is None:
        raise ValueError(f"no {what} of {workload}")
    return value


TARGETS: list[Target] = [
    (
        "W1, one run, its steps ÷ the barest floor",
        lambda ours, all_: _one(ours, "W1", "steps_ms") / _one(all_["floor"], "W1"),
        "≤",
        2.5,
    ),
    (
        "W1, one run, its steps ÷ the floor with a journal",
        lambda ours, all_: _one(ours, "W1", "steps_ms") / _one(all_["floor_journal"], "W1"),
        "≤",
        2.5,
    ),
    (
        "W1, one run ÷ Restate's",
        lambda ours, all_: _one(ours, "W1") / _one(all_["restate"], "W1"),
        "≤",
        1.0,
    ),
    (
        "W1, steps/s ÷ the best durable peer's",
        lambda ours, all_: figures.speed(ours, "W1") / _best(lambda peer: figures.speed(peer, "W1"), all_, max),
        "≥",
        1.2,
    ),
    ("W1, ms of processor time a step", lambda ours, _: figures.processor(ours, "W1"), "≤", 1.3),
    (
        "W2, one run ÷ the best durable peer's",
        lambda ours, all_: _one(ours, "W2") / _best(lambda peer: _one(peer, "W2"), all_, min),
        "≤",
        1.0,
    ),
    (
        "W2, steps/s ÷ the best durable peer's",
        lambda ours, all_: figures.speed(ours, "W2") / _best(lambda peer: figures.speed(peer, "W2"), all_, max),
        "≥",
        1.0,
    ),
    ("W3, one run, its steps ÷ critical path", lambda ours, _: figures.makespan(ours, "steps_ms"), "≤", 1.15),
    ("W3, many at once ÷ critical path", lambda ours, _: figures.lattices(ours), "≤", 1.5),
    ("W4, seconds from kill -9 to the run's end", lambda ours, _: figures.seconds_after_kill(ours), "≤", 3.0),
]


def table(everybody: dict[str, Figures]) -> str:
    """One line a target. A figure that is missing (a peer that could not be measured) leaves its target open."""
    lines = ["| | reached | target | |", "| --- | --- | --- | --- |"]
    for title, value, sign, limit in TARGETS:
        try:
            reached = float(value(everybody["perdure"], everybody))
        except (KeyError, TypeError, ValueError, ZeroDivisionError):
            lines.append(f"| {title} | – | {sign} {limit} | not known |")
            continue
        met = reached <= limit if sign == "≤" else reached >= limit
        lines.append(f"| {title} | {reached:.2f} | {sign} {limit} | {'met' if met else '**missed**'} |")
    return "\n".join(lines)
