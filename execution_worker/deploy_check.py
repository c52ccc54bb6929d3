"""What a deploy of this code would break: live runs whose coming steps do not fit its tools. Writes nothing.

`perdure deploy-check` runs it in a process of its own, with the code that is to be deployed: python -m …deploy_check.
"""

import re
import sys
from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import select

from execution_worker import registry
from services import database
from services.errors import Failed
from services.journal import plans, references
from services.journal.runs import Run
from services.journal.steps import Step, StepStatus
from services.tools import catalogue
from services.tools.contract import Tool
from services.tools.schema_check import argument_faults

COMING = (StepStatus.PENDING, StepStatus.READY, StepStatus.RUNNING, StepStatus.WAITING, StepStatus.IN_DOUBT)
BATCH = 1_000


def findings() -> Iterator[dict[str, Any]]:
    """{workflowId, stepId, tool, severity: breaks | migrated | changed, detail} for every step that is affected."""
    tools = {tool.name: tool for _, tool in registry.found_tools()}
    known = catalogue.listed()
    for step, versions in _coming():
        tool = tools.get(step.tool)
        if tool is None and step.tool in known and re.match(catalogue.EXTERNAL, known[step.tool].source):
            continue  # registered at run time, not part of a deploy
        for severity, detail in _faults(step, tool, versions.get(step.tool)):
            told = {"workflowId": str(step.run_id), "stepId": step.id, "tool": step.tool}
            yield told | {"severity": severity, "detail": detail}


def _coming() -> Iterator[tuple[Step, dict[str, str]]]:
    """The steps of live runs that may still be called, each with the versions of the tools that its plan knew."""
    newest = select(plans.AcceptedPlan.tools).where(
        plans.AcceptedPlan.run_id == Step.run_id, plans.AcceptedPlan.revision == Step.plan_revision
    )
    query = (
        select(Step, newest.scalar_subquery())
        .join(Run, Run.id == Step.run_id)
        .where(Run.phase.is_not(None), Step.status.in_(COMING))
        .order_by(Step.run_id, Step.position)
    )
    with database.session() as session:
        for step, versions in session.execute(query.execution_options(yield_per=BATCH)):
            yield step, versions or {}


def _faults(step: Step, tool: Tool | None, version: str | None) -> Iterator[tuple[str, str]]:
    if tool is None:
        yield "breaks", f"There is no tool {step.tool!r} any more; the step would wait for a worker that has it."
        return
    effect = tool.effect_of(step.arguments)
    if effect != step.effect:
        yield (
            "breaks",
            f"{tool.name} was {step.effect} and is {effect}: after a crash it would be treated as it was planned.",
        )
    faults = argument_faults(step.arguments, tool.schema())
    if faults and _migrated(tool, step.arguments):
        yield "migrated", f"{tool.name} reads the arguments of its earlier version."
    elif faults:
        path, detail = faults[0]
        yield "breaks", f"Its arguments do not fit {tool.name}: {path} {detail}".replace(":  ", ": ")
    elif effect == step.effect and version and version != catalogue.version(tool):
        yield "changed", f"{tool.name} has changed ({version} → {catalogue.version(tool)}), and takes the arguments."


def _migrated(tool: Tool, arguments: dict[str, Any]) -> bool:
    """Whether the tool can make arguments of these that fit it."""
    try:
        return not argument_faults(tool.migrated(arguments), tool.schema())
    except Failed:
        return references.step_ids(arguments) != set()  # what it would read is not known yet


def main() -> None:
    """Print the findings as JSON lines."""
    for finding in findings():
        sys.stdout.write(orjson.dumps(finding).decode() + "\n")


if __name__ == "__main__":
    main()
