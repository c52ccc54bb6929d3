"""What a revised plan may not do, beside the plan rules and the sentinel: wait for what brought nothing."""

from collections.abc import Sequence

from services.errors import FieldError, PlanRefused
from services.journal.finished_steps import FinishedStep
from services.journal.plan_shape import PlanStep


def check(steps: Sequence[PlanStep], done: Sequence[FinishedStep]) -> None:
    """Raise PlanRefused, naming the step, where one of these new steps waits for a step that brought no result.

    done: the steps of earlier revisions; with none, there is nothing to break.
    """
    ended = {step.id: step for step in done}
    faults = [
        FieldError(
            f"#/plan/steps/{index}",
            f"step {step.id} waits for step {name}, which was {ended[name].status} and has no result.",
        )
        for index, step in enumerate(steps)
        for name in step.dependencies
        if name in ended and ended[name].status != "succeeded"
    ]
    if faults:
        raise PlanRefused(f"{faults[0].pointer}: {faults[0].detail}", errors=faults)
