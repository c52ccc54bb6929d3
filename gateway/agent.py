"""POST /api/agent/start: take a request or a plan, commit it as a run, ring the pipeline."""

from typing import Annotated, Any
from uuid import UUID

from flask import Blueprint, Response, request
from pydantic import AwareDatetime, Field, model_validator

from gateway import authentication, bodies, known_tools, wire
from gateway.budgets import Budget
from services import clock, failpoints, settings
from services.errors import BadInput, FieldError, PlanRefused
from services.failpoints import Failpoint
from services.journal import idempotency, plan_rules, runs, steps
from services.journal.plan_shape import Plan
from services.pipeline import phases

ROUTE = "POST /api/agent/start"
DEFAULT_USER = "default"
MAX_REQUEST = 100_000

blueprint = Blueprint("agent", __name__)

Name = Annotated[str, Field(min_length=1, max_length=200)]


class StartRequest(bodies.Body):
    """What a web app posts: `request` in words, or a `plan` of its own, or both."""

    request: Annotated[str, Field(min_length=1, max_length=MAX_REQUEST)] | None = None
    plan: dict[str, Any] | None = None
    conversation_id: Name | None = None
    user_id: Name | None = None
    agent: Name | None = None
    priority: Annotated[int, Field(ge=1, le=5, description="1 is the most urgent")] | None = None
    budget: Budget | None = None
    deadline: AwareDatetime | None = None
    labels: Annotated[dict[Name, Annotated[str, Field(max_length=1_000)]], Field(max_length=64)] | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> "StartRequest":
        if self.request is None and self.plan is None:
            raise ValueError("give `request` (what you want, in words) or `plan` (its steps), or both")
        if self.request is not None and not self.request.strip():
            raise ValueError("`request` is blank; say what you want")
        return self


@blueprint.post("/api/agent/start")
def start() -> Response:
    """Answers 202 once the run is committed; nothing that was answered so is ever lost."""
    asked, body = bodies.read(StartRequest)
    plan = _checked(asked)
    run_id = runs.new_id()
    conversation_id = asked.conversation_id or str(run_id)
    accepted = _accepted(run_id, conversation_id)
    once = _idempotency(body, accepted)
    events = runs.create(
        {
            "id": str(run_id),
            "tenant": authentication.caller().tenant,
            "user_id": asked.user_id or DEFAULT_USER,
            "conversation_id": conversation_id,
            "request": asked.request,
            "agent": asked.agent,
            "priority": asked.priority,
            "labels": asked.labels,
            "budget": asked.budget.to_row() if asked.budget else None,
            "deadline": clock.to_wire(asked.deadline),
            "plan": _written(plan) if plan else None,
            "idempotency": once,
        }
    )
    if once and not events:
        return _replayed(once)
    failpoints.reached(Failpoint.RUN_CREATED)
    # run.created is not published: nobody can be listening to an id that nobody has been told yet.
    phases.start(str(run_id), planned=plan is not None)
    return _reply(accepted)


def _checked(asked: StartRequest) -> Plan | None:
    if asked.plan is None:
        return None
    plan = plan_rules.parse(asked.plan)
    if not plan.steps:
        fault = FieldError("#/plan/steps", "has no step; give at least one, or only a `request`.")
        raise PlanRefused(f"{fault.pointer}: {fault.detail}", errors=[fault])
    tools = known_tools.allowed(authentication.caller().tenant, asked.agent)
    plan_rules.check(plan, tools, max_steps=settings.current().max_steps)
    limit = (asked.budget.limits() if asked.budget else {}).get("steps")
    if limit is not None and len(plan.steps) > limit:
        fault = FieldError("#/plan/steps", f"has {len(plan.steps)} steps, and the budget is of {limit:g}.")
        raise PlanRefused(f"{fault.pointer}: {fault.detail}", errors=[fault])
    return plan


def _written(plan: Plan) -> dict[str, Any]:
    """A caller's plan as the journal takes it; a step that fails fails the run unless it says otherwise."""
    current = settings.current()
    return {
        "brain": current.model if current.model_configured else "offline",
        "source": "caller",
        "note": plan.note,
        "steps": steps.rows_of(plan, known_tools.required(), required=True, attempts=current.step_attempts),
    }


def _accepted(run_id: UUID, conversation_id: str) -> dict[str, Any]:
    return {
        "workflowId": str(run_id),
        "status": "queued",
        "conversationId": conversation_id,
        "updatesUrl": f"/api/agent/updates?workflowId={run_id}",
    }


def _idempotency(body: Any, accepted: dict[str, Any]) -> dict[str, Any] | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise BadInput("The header Idempotency-Key must be 1 to 255 printable ASCII characters.")
    return {"route": ROUTE, "key": key, "body_hash": idempotency.body_hash(body), "response": accepted}


def _replayed(once: dict[str, Any]) -> Response:
    """The answer that the first request with this key got; whether it is the same request is checked here too."""
    tenant = authentication.caller().tenant
    first = idempotency.first_response(tenant, once["route"], once["key"], once["body_hash"])
    made = _reply(first or {})
    made.headers["Idempotent-Replayed"] = "true"
    return made


def _reply(accepted: dict[str, Any]) -> Response:
    made = wire.reply(accepted, status=202)
    if "workflowId" in accepted:
        made.headers["Location"] = f"/api/runs/{accepted['workflowId']}"
    return made
