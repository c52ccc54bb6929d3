"""The plan rules: known tools, schema-valid arguments, no cycle, bounded size. A refusal names the step and the field.

Used by the gateway on a caller's plan (so that the caller gets a 422) and by the planning worker on a model's.
"""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pydantic import ValidationError

from services.errors import FieldError, PlanRefused
from services.journal import conditions, references
from services.journal.plan_shape import Plan, PlanStep
from services.tools.catalogue import ListedTool
from services.tools.schema_check import argument_faults

MAX_DEPTH = 200


def parse(raw: Any, pointer: str = "#/plan") -> Plan:
    """`raw` JSON as a Plan. Raises PlanRefused that points at each field of the wrong type."""
    try:
        return Plan.model_validate(raw)
    except ValidationError as error:
        faults = [
            FieldError("/".join([pointer, *map(str, fault["loc"])]), f"{fault['msg']}.") for fault in error.errors()
        ]
        raise PlanRefused(_summary(faults), errors=faults) from error


def check(plan: Plan, tools: Mapping[str, ListedTool], *, max_steps: int, pointer: str = "#/plan") -> None:
    """Raise PlanRefused, naming step and field of every fault, unless the plan keeps all rules."""
    faults: list[FieldError] = []
    if len(plan.steps) > max_steps:
        faults.append(FieldError(f"{pointer}/steps", f"has {len(plan.steps)} steps; at most {max_steps} are taken."))
    ids = [step.id for step in plan.steps]
    for index, step in enumerate(plan.steps):
        here = f"{pointer}/steps/{index}"
        if step.id in ids[:index]:
            faults.append(FieldError(f"{here}/id", f"step id {step.id} is used twice; give each step its own."))
        faults += _tool_faults(step, tools, here)
        faults += _dependency_faults(step, set(ids), here)
    faults = faults or _shape_faults(plan, pointer)
    if faults:
        raise PlanRefused(_summary(faults), errors=faults)


def _tool_faults(step: PlanStep, tools: Mapping[str, ListedTool], here: str) -> list[FieldError]:
    tool = tools.get(step.tool)
    if tool is None:
        known = ", ".join(sorted(tools)[:30])
        return [FieldError(f"{here}/tool", f"step {step.id}: there is no tool {step.tool!r}; known tools: {known}.")]
    return [
        FieldError(f"{here}/arguments{path}", f"step {step.id}, tool {step.tool}: {detail}")
        for path, detail in argument_faults(step.arguments, tool.schema)
    ]


def _dependency_faults(step: PlanStep, known: set[str], here: str) -> list[FieldError]:
    faults = [
        FieldError(f"{here}/dependsOn/{index}", f"step {step.id} depends on {name}, which is not in the plan.")
        for index, name in enumerate(step.depends_on)
        if name not in known
    ]
    faults += [
        FieldError(f"{here}/arguments", f"step {step.id} refers to ${{{name}}}, which is not in the plan.")
        for name in sorted(step.referred - known)
    ]
    faults += [
        FieldError(f"{here}/arguments", f"step {step.id}: the path of {reference} is not valid JMESPath.")
        for reference in references.faulty_paths([step.arguments, step.when, step.for_each])
    ]
    return faults + _control_faults(step, here)


def _control_faults(step: PlanStep, here: str) -> list[FieldError]:
    faults = []
    if step.when is not None and (why := conditions.fault(step.when)):
        faults.append(FieldError(f"{here}/when", f"step {step.id}: the condition {why}"))
    if step.for_each is not None and not references.is_one(step.for_each):
        faults.append(
            FieldError(f"{here}/forEach", f"step {step.id}: forEach is one reference to a list, like ${{s1.links}}.")
        )
    return faults


def _shape_faults(plan: Plan, pointer: str) -> list[FieldError]:
    """Faults of the graph as a whole: a cycle, or too long a chain."""
    graph = {step.id: step.dependencies for step in plan.steps}
    position = {step.id: index for index, step in enumerate(plan.steps)}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        cycle = list(dict.fromkeys(error.args[1]))
        here = f"{pointer}/steps/{min(position[name] for name in cycle)}/dependsOn"
        return [FieldError(here, f"steps {' → '.join([*cycle, cycle[0]])} wait for each other; break the cycle.")]
    depth: dict[str, int] = {}
    for name in order:
        depth[name] = 1 + max((depth[before] for before in graph[name]), default=0)
    deepest = max(depth.values(), default=0)
    if deepest > MAX_DEPTH:
        return [FieldError(f"{pointer}/steps", f"has a chain of {deepest} steps; at most {MAX_DEPTH} are taken.")]
    return []


def _summary(faults: list[FieldError]) -> str:
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{faults[0].pointer}: {faults[0].detail}{more}"
