"""How things look on the wire: JSON replies, and runs, steps and tools in their camelCase shapes (design §13)."""

from typing import Any

import orjson
from flask import Response

from services import clock
from services.journal.attempts import Attempt
from services.journal.delegations import Delegation
from services.journal.plans import AcceptedPlan
from services.journal.runs import Run
from services.journal.steps import Step
from services.spending.budgets import Budget
from services.tools.catalogue import ListedTool


def reply(body: Any, *, status: int = 200, content_type: str = "application/json") -> Response:
    """`body` as a JSON response."""
    return Response(orjson.dumps(body), status=status, content_type=content_type)


def run_summary(run: Run) -> dict[str, Any]:
    """A run as lists show it."""
    return {
        "id": str(run.id),
        "status": run.status,
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
        "deadline": clock.to_wire(run.deadline),
        "forkedFrom": str(run.forked_from) if run.forked_from else None,
        "forkedStep": run.forked_step,
        "lastSeq": run.last_seq,
        "createdAt": clock.to_wire(run.created_at),
        "startedAt": clock.to_wire(run.started_at),
        "finishedAt": clock.to_wire(run.finished_at),
    }


def run_in_full(run: Run, plan: AcceptedPlan | None, steps: list[Step]) -> dict[str, Any]:
    """A run with its newest plan and every step as it stands; `plan` is null until planning has ended."""
    return {
        **run_summary(run),
        "plan": {
            "revision": plan.revision,
            "source": plan.source,
            "note": plan.note,
            "steps": [_planned(step) for step in steps],
        }
        if plan
        else None,
        "steps": [step_in_full(step) for step in steps],
    }


def child(delegated: Delegation, status: str) -> dict[str, Any]:
    """A child as its parent shows it; number: which try at this place it is."""
    return {
        "workflowId": str(delegated.child_id),
        "stepId": delegated.step_id,
        "place": delegated.place,
        "number": delegated.number,
        "detached": delegated.detached,
        "status": status,
    }


def tree(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows, parents first, as a tree; total: what a run and all below it have cost."""
    nodes: dict[str, dict[str, Any]] = {}
    for row in rows:
        node = nodes[row["workflowId"]] = row | {"total": dict(row["own"]), "children": []}
        if node["parent"] in nodes:
            nodes[node["parent"]]["children"].append(node)
    for row in reversed(rows):
        above = nodes.get(row["parent"])
        if above:
            below = nodes[row["workflowId"]]["total"]
            above["total"] = {name: amount + below[name] for name, amount in above["total"].items()}
    return nodes[rows[0]["workflowId"]]


def budget(found: Budget) -> dict[str, Any]:
    """A budget with what is spent of it."""
    return {
        **found.limits,
        "onExceed": found.on_exceed,
        "spent": found.spent,
        "reserved": {name: amount for name, amount in found.reserved.items() if amount},
    }


def tool(listed: ListedTool) -> dict[str, Any]:
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


def attempt(ended: Attempt) -> dict[str, Any]:
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


def _planned(step: Step) -> dict[str, Any]:
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


def step_in_full(step: Step) -> dict[str, Any]:
    """A step as it stands. reusedFrom: the run that its result comes from, in a fork."""
    return {
        **_planned(step),
        "status": step.status,
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
