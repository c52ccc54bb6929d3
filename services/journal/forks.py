"""Forks: a new run that goes on from one that has ended. Finished steps are shared, their effects never repeated."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select

from services import database
from services.errors import BadInput, FieldError
from services.journal import runs, steps, surgery
from services.journal.runs import Run
from services.journal.steps import Step
from services.journal.surgery import Changed
from services.tools import catalogue
from services.tools.catalogue import ListedTool

Resolution = Literal["forked", "resumed", "restarted"]


@dataclass(frozen=True)
class Patch:
    """What is different in a fork at one step: its result (has_output), or its arguments, or its tool, or both."""

    arguments: dict[str, Any] | None = None
    tool: str | None = None
    output: Any = None
    has_output: bool = False


@dataclass(frozen=True)
class Lineage:
    """Where a run comes from (the nearest first) and the forks made of it (the oldest first)."""

    ancestors: list[Run]
    forks: list[Run]


def fork(
    tenant: str,
    run_id: str,
    *,
    from_step: str | None = None,
    patches: dict[str, Patch] | None = None,
    resolution: Resolution = "forked",
    letter: UUID | None = None,
) -> tuple[str, Changed]:
    """Make a fork of a run that has ended; returns its id and what to publish and ring.

    from_step and patched steps are run anew with all that follows them, as new effects; what had failed, was skipped or
    cancelled is run too, as the effect that it was; everything else is shared. Without a plan, or with resolution
    "restarted", nothing is shared. letter: a dead letter that must still be open. Raises NotFound, Conflict, BadInput.
    """
    found = {step.id: step for step in steps.of_run(runs.get(tenant, run_id).id)}
    if from_step is not None and from_step not in found:
        fault = FieldError("#/fromStep", f"there is no step {from_step} in this run.")
        raise BadInput(f"{fault.pointer}: {fault.detail}", errors=[fault])
    new_id = str(runs.new_id())
    answer = database.call(
        "fork_run",
        database.json(
            {
                "source": run_id,
                "id": new_id,
                "tenant": tenant,
                "from_step": from_step,
                "patches": _rows(patches or {}, found),
                "restart": resolution == "restarted",
                "resolution": resolution,
                "letter": str(letter) if letter else None,
            }
        ),
    )
    return new_id, surgery.changed(answer, f"There is no run {run_id}.")


def lineage(run: Run) -> Lineage:
    """The runs that this one was forked from, and those forked from it."""
    ancestors: list[Run] = []
    with database.session() as session:
        parent = run.forked_from
        while parent is not None and len(ancestors) < 100:
            found = session.scalar(select(Run).where(Run.id == parent, Run.tenant == run.tenant))
            if found is None:
                break  # removed since
            ancestors.append(found)
            parent = found.forked_from
        forks = session.scalars(select(Run).where(Run.forked_from == run.id).order_by(Run.created_at))
        return Lineage(ancestors, list(forks))


def _rows(patches: dict[str, Patch], found: dict[str, Step]) -> dict[str, dict[str, Any]]:
    tools = catalogue.listed() if patches else {}
    rows = {}
    for step_id, patch in patches.items():
        pointer = f"#/patches/{step_id}"
        if step_id not in found:
            fault = FieldError(pointer, "there is no such step in this run.")
            raise BadInput(f"{fault.pointer}: {fault.detail}", errors=[fault])
        rows[step_id] = {"output": patch.output} if patch.has_output else _row(patch, found[step_id], tools, pointer)
    return rows


def _row(patch: Patch, step: Step, tools: dict[str, ListedTool], pointer: str) -> dict[str, Any]:
    name = patch.tool or step.tool
    if name not in tools:
        fault = FieldError(f"{pointer}/tool", f"there is no tool {name!r}.")
        raise BadInput(f"{fault.pointer}: {fault.detail}", errors=[fault])
    arguments = step.arguments if patch.arguments is None else patch.arguments
    surgery.check_arguments(step, arguments, tools[name], pointer=f"{pointer}/arguments")
    row: dict[str, Any] = {"arguments": arguments}
    if patch.tool and patch.tool != step.tool:
        tool = tools[name]
        retry = {**step.retry, **tool.retry}
        row |= {"tool": name, "effect": tool.effect, "timeout": tool.timeout, "retry": retry}
        row["max_attempts"] = retry["attempts"]
    return row
