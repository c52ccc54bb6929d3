"""How things look on the wire: JSON replies, and runs, steps and tools in their camelCase shapes (design §13)."""

from typing import Any, cast

import orjson
from flask import Response
from typing_extensions import TypedDict

from gateway.fields import Anything, Id, Time
from services import clock
from services.journal import reviews
from services.journal.attempts import Attempt
from services.journal.plans import AcceptedPlan
from services.journal.runs import Run, RunStatus
from services.journal.steps import Step, StepStatus
from services.spending.budgets import Budget
from services.tools.catalogue import ListedTool


def reply(body: Any, *, status: int = 200, content_type: str = "application/json") -> Response:
    """`body` as a JSON response."""
    return Response(orjson.dumps(body), status=status, content_type=content_type)


class Started(TypedDict):
    """A run that was accepted. It is committed; nothing that was answered so is ever lost."""

    workflowId: Id
    status: RunStatus
    conversationId: str
    updatesUrl: str


class RunSummary(TypedDict):
    """A run as lists show it."""

    id: Id
    status: RunStatus
    request: str | None
    conversationId: str
    userId: str
    agent: str | None
    priority: int
    labels: dict[str, str]
    answer: str | None
    error: dict[str, Any] | None
    brain: str | None
    usage: dict[str, Any]
    cancelRequested: bool
    pausedAt: Time | None
    pausedBecause: str | None
    awaitsReview: bool
    notBefore: Time | None
    deadline: Time | None
    forkedFrom: Id | None
    forkedStep: str | None
    lastSeq: int
    createdAt: Time
    startedAt: Time | None
    finishedAt: Time | None


class PlannedStep(TypedDict):
    """A step as its plan has it."""

    id: str
    tool: str
    arguments: dict[str, Any]
    dependsOn: list[str]
    when: str | None
    forEach: str | None
    why: str | None
    flow: str | None


class StepInFull(PlannedStep):
    """A step as it stands. reusedFrom: the run that its result comes from, in a fork."""

    status: StepStatus
    input: Anything
    output: Anything
    error: dict[str, Any] | None
    required: bool
    attempts: int
    maxAttempts: int
    worker: str | None
    effect: str
    reusedFrom: Id | None
    dueAt: Time | None
    readyAt: Time | None
    startedAt: Time | None
    finishedAt: Time | None


class ShownPlan(TypedDict):
    """A revision of a run's plan. source: model, offline, or caller."""

    revision: int
    source: str
    note: str | None
    steps: list[PlannedStep]


class ShownBudget(TypedDict, total=False):
    """A budget's limits, and what is spent and reserved of it. money: US dollars."""

    steps: float
    toolCalls: float
    tokens: float
    money: float
    seconds: float
    onExceed: str
    spent: dict[str, float]
    reserved: dict[str, float]


class RunInFull(RunSummary):
    """A run with its newest plan (null until planning has ended), its steps and its budget."""

    plan: ShownPlan | None
    steps: list[StepInFull]
    budget: ShownBudget | None


class ShownTool(TypedDict):
    """A tool that plans may call; `schema` is that of its arguments."""

    name: str
    description: str
    schema: dict[str, Any]
    effect: str
    timeout: float
    retry: dict[str, Any]
    permission: str
    capabilities: list[str]
    examples: list[str]
    source: str


class ShownAttempt(TypedDict):
    """How one attempt of a step ended."""

    attempt: int
    outcome: str
    worker: str | None
    output: Anything
    error: dict[str, Any] | None
    startedAt: Time | None
    finishedAt: Time | None


def started(run_id: Any, conversation_id: str, status: str = RunStatus.QUEUED) -> Started:
    """The answer to whoever started a run."""
    return {
        "workflowId": str(run_id),
        "status": RunStatus(status),
        "conversationId": conversation_id,
        "updatesUrl": f"/api/agent/updates?workflowId={run_id}",
    }


def run_summary(run: Run) -> RunSummary:
    """A run as lists show it."""
    return {
        "id": str(run.id),
        "status": RunStatus(run.status),
        "request": run.request,
        "conversationId": run.conversation_id,
        "userId": run.user_id,
        "agent": run.agent,
        "priority": run.priority,
        "labels": run.labels,
        "answer": run.answer,
        "error": run.error,
        "brain": run.brain,
        "usage": run.usage,
        "cancelRequested": run.cancel_requested,
        "pausedAt": clock.to_wire(run.paused_at),
        "pausedBecause": run.paused_because,
        "notBefore": clock.to_wire(run.held_until),
        "awaitsReview": reviews.holds(run),
        "deadline": clock.to_wire(run.deadline),
        "forkedFrom": str(run.forked_from) if run.forked_from else None,
        "forkedStep": run.forked_step,
        "lastSeq": run.last_seq,
        "createdAt": clock.to_wire(run.created_at),
        "startedAt": clock.to_wire(run.started_at),
        "finishedAt": clock.to_wire(run.finished_at),
    }


def run_in_full(run: Run, plan: AcceptedPlan | None, steps: list[Step], spent: Budget | None) -> RunInFull:
    """A run with its newest plan and every step as it stands."""
    return {
        **run_summary(run),
        "plan": plan_shown(plan, steps) if plan else None,
        "steps": [step_in_full(step) for step in steps],
        "budget": budget(spent) if spent else None,
    }


def plan_shown(plan: AcceptedPlan, steps: list[Step]) -> ShownPlan:
    """The newest plan with its steps."""
    return {
        "revision": plan.revision,
        "source": plan.source,
        "note": plan.note,
        "steps": [_planned(step) for step in steps],
    }


def budget(found: Budget) -> ShownBudget:
    """A budget with what is spent of it."""
    shown: dict[str, Any] = {
        **found.limits,
        "onExceed": found.on_exceed,
        "spent": found.spent,
        "reserved": {name: amount for name, amount in found.reserved.items() if amount},
    }
    return cast(ShownBudget, shown)


def tool(listed: ListedTool) -> ShownTool:
    """A tool that plans may call."""
    return {
        "name": listed.name,
        "description": listed.description,
        "schema": listed.schema,
        "effect": listed.effect,
        "timeout": listed.timeout,
        "retry": listed.retry,
        "permission": listed.permission,
        "capabilities": list(listed.capabilities),
        "examples": list(listed.examples),
        "source": listed.source,
    }


def attempt(ended: Attempt) -> ShownAttempt:
    """How one attempt of a step ended."""
    return {
        "attempt": ended.attempt,
        "outcome": ended.outcome,
        "worker": ended.worker,
        "output": ended.output,
        "error": ended.error,
        "startedAt": clock.to_wire(ended.started_at),
        "finishedAt": clock.to_wire(ended.finished_at),
    }


def _planned(step: Step) -> PlannedStep:
    return {
        "id": step.id,
        "tool": step.tool,
        "arguments": step.arguments,
        "dependsOn": step.depends_on,
        "when": (step.control or {}).get("when"),
        "forEach": (step.control or {}).get("forEach"),
        "why": step.why,
        "flow": step.flow,
    }


def step_in_full(step: Step) -> StepInFull:
    """A step as it stands. reusedFrom: the run that its result comes from, in a fork."""
    return {
        **_planned(step),
        "status": StepStatus(step.status),
        "input": step.input,
        "output": step.output,
        "error": step.error,
        "required": step.required,
        "attempts": step.attempt,
        "maxAttempts": step.max_attempts,
        "worker": step.worker,
        "effect": step.effect,
        "reusedFrom": str(step.reused_from) if step.reused_from else None,
        "dueAt": clock.to_wire(step.due_at),
        "readyAt": clock.to_wire(step.ready_at),
        "startedAt": clock.to_wire(step.started_at),
        "finishedAt": clock.to_wire(step.finished_at),
    }
