"""What a person may do to a live run: pause and resume it, and change single steps. Each is one commit.

Called through services/pipeline/operating.py, which also publishes the events and rings what became ready. A run that
has ended is closed; `forks.fork` goes on from it.
"""

from dataclasses import dataclass, field
from typing import Any

from services import database
from services.errors import BadInput, Conflict, FieldError, NotFound
from services.journal import references, runs, steps
from services.journal.steps import Step
from services.tools import catalogue
from services.tools.catalogue import ListedTool
from services.tools.schema_check import argument_faults


@dataclass(frozen=True)
class Changed:
    """What a change led to: events to publish, steps to ring, and the phase to ring (None when no phase is due)."""

    events: list[dict[str, Any]]
    ready: list[str] = field(default_factory=list)
    phase: str | None = None


def pause(tenant: str, run_id: str) -> Changed:
    """Begin nothing more in this run until it is resumed; what runs may end. Pausing twice changes nothing.

    This and all below raise NotFound for what the tenant does not have and Conflict when the present state forbids it.
    """
    return changed(database.call("pause_run", runs.parse_id(run_id), tenant), f"There is no run {run_id}.")


def resume(tenant: str, run_id: str) -> Changed:
    """Let a paused run go on. Resuming one that is not paused changes nothing."""
    return changed(database.call("resume_run", runs.parse_id(run_id), tenant), f"There is no run {run_id}.")


def retry_step(tenant: str, run_id: str, step_id: str) -> Changed:
    """Run a failed step again, with all its attempts anew, and bring back what was skipped because of it; or end the
    backoff or sleep of a waiting step now."""
    return _change(tenant, run_id, step_id, "retry")


def rerun_step(tenant: str, run_id: str, step_id: str, arguments: dict[str, Any]) -> Changed:
    """Run a step with other arguments, as a new effect. A succeeded one only while nothing has begun with its result.

    Raises BadInput when the arguments don't fit the tool.
    """
    step = _step(tenant, run_id, step_id)
    check_arguments(step, arguments, catalogue.listed().get(step.tool), pointer="#/arguments")
    return _change(tenant, run_id, step_id, "rerun", database.json(arguments))


def skip_step(tenant: str, run_id: str, step_id: str) -> Changed:
    """Do without this step: what only waits for it goes on, what refers to its output is skipped too."""
    return _change(tenant, run_id, step_id, "skip")


def override_step(tenant: str, run_id: str, step_id: str, output: Any) -> Changed:
    """Take `output` as the step's result. A succeeded step's only while nothing has begun with the result it had."""
    return _change(tenant, run_id, step_id, "override", database.json(output))


def resolve_as_done(tenant: str, run_id: str, step_id: str, output: Any) -> Changed:
    """The effect of this step in doubt did happen, with this result."""
    return _change(tenant, run_id, step_id, "done", database.json(output))


def resolve_as_not_done(tenant: str, run_id: str, step_id: str) -> Changed:
    """The effect of this step in doubt did not happen: run it again."""
    return _change(tenant, run_id, step_id, "again")


def resolve_by_skipping(tenant: str, run_id: str, step_id: str) -> Changed:
    """Do without this step in doubt, whatever became of its effect."""
    return _change(tenant, run_id, step_id, "leave")


def check_arguments(step: Step, arguments: dict[str, Any], tool: ListedTool | None, *, pointer: str) -> None:
    """Raise BadInput unless these arguments fit the tool and refer only to steps that `step` already depends on."""
    if tool is None:
        raise Conflict(f"There is no tool {step.tool!r} at present; start a worker that has it.")
    faults = [FieldError(f"{pointer}{path}", detail) for path, detail in argument_faults(arguments, tool.schema)]
    faults += [
        FieldError(pointer, f"refers to ${{{name}}}, but step {step.id} does not depend on {name}.")
        for name in sorted(references.step_ids(arguments) - set(step.depends_on))
    ]
    if faults:
        raise BadInput(f"{faults[0].pointer}: {faults[0].detail}", errors=faults)


def changed(answer: dict[str, Any] | None, missing: str) -> Changed:
    """The answer of one of the SQL functions. Raises NotFound (with this sentence) or Conflict."""
    if answer is None:
        raise NotFound(missing)
    if "refused" in answer:
        raise Conflict(answer["refused"])
    return Changed(answer["events"], answer.get("ready") or [], answer.get("phase"))


def _change(tenant: str, run_id: str, step_id: str, verb: str, value: Any = None) -> Changed:
    answer = database.call("change_step", runs.parse_id(run_id), tenant, step_id, verb, value)
    return changed(answer, f"There is no step {step_id} in a run {run_id}.")


def _step(tenant: str, run_id: str, step_id: str) -> Step:
    for step in steps.of_run(runs.get(tenant, run_id).id):
        if step.id == step_id:
            return step
    raise NotFound(f"There is no step {step_id} in a run {run_id}.")
