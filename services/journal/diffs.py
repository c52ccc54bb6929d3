"""What is different between two runs, step by step: a run and its fork, most of all."""

from dataclasses import dataclass
from typing import Any

from services.journal import plans, runs, steps
from services.journal.runs import Run
from services.journal.steps import Step

RUN_FIELDS = ("status", "request", "agent", "brain", "answer", "error", "labels")
STEP_FIELDS = ("tool", "arguments", "input", "depends_on", "status", "output", "error", "timeout", "required")


@dataclass(frozen=True)
class Change:
    """One field that is not the same."""

    field: str
    a: Any
    b: Any


@dataclass(frozen=True)
class StepDiff:
    """A step that is only in `a`, only in `b`, or in both and different (changes).

    shared: b took its result over from a, or a from b.
    """

    step_id: str
    where: str
    changes: list[Change]
    shared: bool = False


@dataclass(frozen=True)
class Diff:
    """changes: of the runs themselves, with planNote. steps: those that differ. same: the ids of those that don't."""

    a: Run
    b: Run
    changes: list[Change]
    steps: list[StepDiff]
    same: list[str]


def diff(tenant: str, run_a: str, run_b: str) -> Diff:
    """Compare two runs of a tenant. Raises NotFound."""
    a, b = runs.get(tenant, run_a), runs.get(tenant, run_b)
    steps_a, steps_b = ({step.id: step for step in steps.of_run(run.id)} for run in (a, b))
    compared = [_compared(name, steps_a.get(name), steps_b.get(name)) for name in {**steps_a, **steps_b}]
    notes = [plan.note if plan else None for plan in (plans.newest(a.id), plans.newest(b.id))]
    changes = _changes(RUN_FIELDS, a, b) + ([Change("planNote", *notes)] if notes[0] != notes[1] else [])
    different = [step for step in compared if step.where != "both" or step.changes]
    return Diff(a, b, changes, different, [step.step_id for step in compared if step not in different])


def _compared(name: str, a: Step | None, b: Step | None) -> StepDiff:
    if a is None or b is None:
        return StepDiff(name, "b" if a is None else "a", [])
    shared = b.reused_from in (a.run_id, a.reused_from or a.run_id) or a.reused_from == b.run_id
    return StepDiff(name, "both", _changes(STEP_FIELDS, a, b), shared)


def _changes(fields: tuple[str, ...], a: Any, b: Any) -> list[Change]:
    pairs = [(field, getattr(a, field), getattr(b, field)) for field in fields]
    return [Change(_camel(field), before, after) for field, before, after in pairs if before != after]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
