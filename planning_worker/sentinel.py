"""The sentinel against runaways: plans that call the same again, in the same revision or a later one, in circles.

What it sees is answered in three rounds, each told by an event `run.reined_in`: the plan is sent back with the reason
(nudge), a plan is asked for anew (replan), and then the run finishes with what there is (finish).
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from services.errors import FieldError, PlanRefused
from services.journal.finished_steps import FinishedStep
from services.journal.plan_shape import PlanStep

Sign = Literal["repeated", "oscillating"]
SAME_CALLS = 3  # of one plan; a fourth is a runaway
WAITS = frozenset({"sleep", "wait_until", "wait_for_event"})  # what is called again after one of these is polled


class Runaway(PlanRefused):
    """The plan goes round in circles. sign: repeated (within a plan, or since the last one), oscillating (A, B, A)."""

    title = "The plan goes round in circles"

    def __init__(self, sign: Sign, faults: list[FieldError]) -> None:
        super().__init__(f"{faults[0].pointer}: {faults[0].detail}", errors=faults)
        self.sign: Sign = sign


def check(new: Sequence[PlanStep], taken: Iterable[PlanStep], done: Sequence[FinishedStep]) -> None:
    """Raise Runaway, naming the steps, if these new steps call what was called before.

    taken: of the same plan, before them. done: the steps of earlier revisions.
    """
    ended = {_call(step.tool, step.planned): step for step in done if step.status in {"succeeded", "failed"}}
    newest = max((step.revision for step in done), default=0)
    waits = {step.id for step in [*taken, *new] if step.tool in WAITS} | {s.id for s in done if s.tool in WAITS}
    counted = Counter(_call(step.tool, step.arguments) for step in taken)
    sign: Sign = "repeated"
    faults = []
    for index, step in enumerate(new):
        call = _call(step.tool, step.arguments)
        counted[call] += 1
        if step.tool in WAITS or waits & set(step.dependencies):
            continue
        before = ended.get(call)
        if before is not None:
            sign = "oscillating" if before.revision < newest else sign
            faults.append(FieldError(f"#/plan/steps/{index}", _again(step, before)))
        elif counted[call] > SAME_CALLS:
            faults.append(FieldError(f"#/plan/steps/{index}", _too_often(step)))
    if faults:
        raise Runaway(sign, faults)


def _again(step: PlanStep, before: FinishedStep) -> str:
    said = f"step {step.id} calls {step.tool} as step {before.id} did"
    if before.status == "failed":
        return f"{said}, which failed: {before.error} Find another way."
    return f"{said}, which succeeded: use its output, ${{{before.id}}}."


def _too_often(step: PlanStep) -> str:
    return f"step {step.id} calls {step.tool} with arguments that {SAME_CALLS} steps before it have already."


def _call(tool: str, arguments: Any) -> str:
    return f"{tool} {json.dumps(_folded(arguments), sort_keys=True, ensure_ascii=False, default=str)}"


def _folded(value: Any) -> Any:
    """The value without what makes no other call of it: case, spaces, a closing stroke or mark."""
    if isinstance(value, str):
        return " ".join(value.casefold().split()).rstrip("/.?! ")
    if isinstance(value, list):
        return [_folded(one) for one in value]
    if isinstance(value, dict):
        return {name: _folded(one) for name, one in value.items()}
    return value
