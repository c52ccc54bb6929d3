"""What a revised plan may not do, beside the plan rules: call again what failed, or wait for what brought nothing."""

from collections.abc import Sequence

from services.errors import FieldError, PlanRefused
from services.journal.finished_steps import FinishedStep
from services.journal.plan_shape import PlanStep


def check(steps: Sequence[PlanStep], done: Sequence[FinishedStep]) -> None:
    """Raise PlanRefused, naming the step, unless these new steps lead beyond what the steps before have done.

    done: the steps of earlier revisions; with none, there is nothing to break.
    """
    ended = {step.id: step for step in done}
    faults = [
        FieldError(f"#/plan/steps/{index}", fault) for index, step in enumerate(steps) for fault in _faults(step, ended)
    ]
    if faults:
        raise PlanRefused(f"{faults[0].pointer}: {faults[0].detail}", errors=faults)


def _faults(step: PlanStep, ended: dict[str, FinishedStep]) -> list[str]:
    found = [
        f"step {step.id} calls {step.tool} as step {before.id} did, which failed: {before.error} Find another way."
        for before in ended.values()
        if before.status == "failed" and (before.tool, before.planned) == (step.tool, step.arguments)
    ]
    return found + [
        f"step {step.id} waits for step {name}, which was {ended[name].status} and has no result."
        for name in step.dependencies
        if name in ended and ended[name].status != "succeeded"
    ]
