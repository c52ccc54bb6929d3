"""The tool delegate: give work to other agents as runs of their own; the step sleeps until they are done."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from execution_worker.teams import Join, Member, Order, Supervision
from services.errors import Failed
from services.journal import references
from services.tools.contract import ToolContext, tool

LONGEST = 366 * 86_400.0

Agent = Annotated[str, Field(min_length=1, max_length=200)]
Request = Annotated[str, Field(min_length=1, max_length=100_000, pattern=r"\S")]
Seconds = Annotated[float, Field(gt=0, le=LONGEST)]


class Limits(BaseModel):
    """A budget of one child, beside its parent's, which holds for all of them together."""

    model_config = ConfigDict(extra="forbid")

    steps: Annotated[int, Field(ge=0)] | None = None
    toolCalls: Annotated[int, Field(ge=0)] | None = None
    tokens: Annotated[int, Field(ge=0)] | None = None
    money: Annotated[float, Field(ge=0)] | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None


class Task(BaseModel):
    """What one member of a team does: a request to an agent, or a plan of its own steps."""

    model_config = ConfigDict(extra="forbid")

    agent: Agent | None = None
    request: Request | None = None
    plan: dict[str, Any] | None = None
    budget: Limits | None = None


@tool(
    effect="idempotent",
    timeout=30,
    outside=False,
    capabilities=["give a part of the work to another agent", "have several agents work at the same time"],
)
def delegate(  # noqa: PLR0913 (its arguments are those of a step)
    context: ToolContext,
    agent: Agent | None = None,
    request: Request | None = None,
    plan: dict[str, Any] | None = None,
    agents: Annotated[list[Task], Field(min_length=1, max_length=1_000)] | None = None,
    join: Join = "all",
    quorum: Annotated[int, Field(ge=1)] | None = None,
    valid: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None,
    supervision: Supervision = "escalate",
    restarts: Annotated[int, Field(ge=0, le=20)] = 2,
    timeout: Seconds = LONGEST,
    budget: Limits | None = None,
    detach: bool = False,
) -> dict[str, Any]:
    """Let another agent do a part of the work, and wait for its answer: `agent` and `request`, or several as `agents`.

    Returns {"text": the answer, "answer", "status", "workflowId"} of one; of several {"text": all answers, "results":
    [{"agent", "answer", "status", "error"}], "winners"}. The request must say all that the other has to know.
    join: how many have to succeed (quorum: of how many; first_valid: the first that `valid`, a JMESPath, finds true).
    supervision: what a failure does. detach: start only, and don't wait.
    """
    one = agent is not None or request is not None or plan is not None
    if one == (agents is not None):
        raise Failed("Give `agent` with `request` (or a `plan`), or several of them as `agents`.")
    tasks = agents or [Task(agent=agent, request=request, plan=plan, budget=budget)]
    return context.delegate(
        Order(
            members=[_member(task, budget) for task in tasks],
            join=join,
            need=_need(join, quorum, len(tasks)),
            valid=(valid or "answer") if join == "first_valid" else valid,
            supervision=supervision,
            restarts=restarts,
            seconds=timeout,
            detach=detach,
            single=one,
        )
    )


def _member(task: Task, shared: Limits | None) -> Member:
    if task.request is None and task.plan is None:
        raise Failed("A member needs a `request` or a `plan`.")
    limits = (task.budget or shared or Limits()).model_dump(exclude_none=True)
    budget = {"limits": limits, "onExceed": "stop"} if limits else None
    return Member(task.agent, task.request, references.unescaped(task.plan), budget)


def _need(join: Join, quorum: int | None, size: int) -> int:
    if (join == "quorum") != (quorum is not None):
        raise Failed('`quorum` goes with join "quorum", and says how many have to succeed.')
    if quorum is not None and quorum > size:
        raise Failed(f"A quorum of {quorum} can't come of {size} members.")
    return quorum or (size if join == "all" else 1)
