"""Reviews: plans that wait until a person has looked at them. `surgery.resume` lets one go, a cancel ends its run."""

from typing import Any

from sqlalchemy import select

from services import database
from services.journal import runs, steps, surgery
from services.journal.plan_shape import PlanStep
from services.journal.runs import Run
from services.journal.steps import Step
from services.journal.surgery import Changed
from services.tools.catalogue import ListedTool


def holds(run: Run) -> bool:
    """Whether the run's plan is held until a person has looked at it."""
    return run.review and run.phase == "execute" and run.paused_at is not None and not run.cancel_requested


def awaited(tenant: str, *, limit: int) -> list[Run]:
    """The runs whose plan waits for a look, the longest waiting first."""
    query = select(Run).where(Run.tenant == tenant, Run.review, Run.phase == "execute", Run.paused_at.is_not(None))
    with database.session() as session:
        return list(session.scalars(query.where(~Run.cancel_requested).order_by(Run.paused_at).limit(limit)))


def replace(tenant: str, run_id: str, plan: dict[str, Any], *, revision: int) -> Changed:
    """Put another plan (as `plans.complete` takes it) in the place of the one of this revision; it waits on.

    Raises NotFound, and Conflict when the plan is not held (any more) or is another by now.
    """
    answer = database.call("replace_plan", runs.parse_id(run_id), tenant, revision, database.json(plan))
    return surgery.changed(answer, f"There is no run {run_id}.")


def written(step: Step, tool: ListedTool | None, *, required: bool, attempts: int) -> dict[str, Any]:
    """A journaled step as a plan would say it; what it has from its tool or the settings is left out."""
    control = step.control or {}
    plain = (
        steps.row_of(PlanStep(id=step.id, tool=step.tool), tool, required=required, attempts=attempts) if tool else {}
    )
    said = {
        "id": step.id,
        "tool": step.tool,
        "arguments": step.arguments,
        "dependsOn": step.depends_on,
        "when": control.get("when"),
        "forEach": control.get("forEach"),
        "timeout": None if step.timeout == plain.get("timeout") else step.timeout,
        "retry": None if step.retry == plain.get("retry") else step.retry,
        "required": None if step.required == plain.get("required") else step.required,
        "flow": step.flow,
        "why": step.why,
    }
    return {name: value for name, value in said.items() if value is not None}
