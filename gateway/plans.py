"""Plans before they run: what one will take, and looking at the plan of a run that asked for `review`.

`POST /api/runs/{id}/resume` lets a held plan go, `/cancel` ends its run.
"""

from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, known_tools, queries, wire
from gateway.declare import Page
from gateway.fields import Id, Name
from gateway.run_requests import AsPlan
from gateway.wire import RunSummary
from services import settings
from services.agents import agents
from services.errors import FieldError, PlanRefused
from services.journal import plan_rules, plans, reviews, runs, steps
from services.journal.plan_shape import Plan
from services.journal.runs import Run
from services.pipeline import operating
from services.spending import budgets, forecasts
from services.spending.forecasts import Taken

EXAMPLE = {"plan": {"steps": [{"id": "s1", "tool": "calculate", "arguments": {"expression": "6*7"}}]}}

blueprint = Blueprint("plans", __name__)


class Replacement(bodies.Body):
    """revision: of the plan that was looked at, so that nobody overwrites what they have not seen."""

    revision: Annotated[int, Field(ge=1, le=10**6)]
    steps: Annotated[list[dict[str, Any]], Field(description="as in a plan", min_length=1)]
    note: Annotated[str, Field(max_length=4_000)] | None = None


class Forecasted(bodies.Body):
    """A plan that no run has (yet)."""

    plan: Annotated[dict[str, Any], AsPlan]
    agent: Name | None = None


class HowMany(queries.Query):
    """How many to list."""

    limit: int = queries.limit(200, 1_000)


class StepForecast(TypedDict):
    """What a step took, as a median of `samples`. cost: US dollars, null without a price."""

    samples: int
    seconds: float
    tokens: int
    cost: float | None


class PlanForecast(TypedDict):
    """What a plan will take. steps: by id, null where its tool has not run lately (`unknown`). asks: a person first."""

    seconds: float
    tokens: int
    cost: float | None
    answer: StepForecast | None
    steps: dict[str, StepForecast | None]
    unknown: list[str]
    asks: list[str]


class WrittenPlan(TypedDict):
    """A run's newest plan as a caller would write it. preview: null while one of its tools is not known."""

    workflowId: Id
    revision: int
    source: str | None
    note: str | None
    awaitsReview: bool
    steps: list[dict[str, Any]]
    preview: PlanForecast | None


@blueprint.get("/api/reviews")
@declare.operation(query=HowMany, gives=Page[RunSummary])
def waiting() -> Response:
    """The runs whose plan waits for a person to look at it, the longest waiting first."""
    asked = queries.read(HowMany)
    return wire.reply(queries.all_of(reviews.awaited(_tenant(), limit=asked.limit), wire.run_summary))


@blueprint.get("/api/runs/<run_id>/plan")
@declare.operation(gives=WrittenPlan)
def show(run_id: str) -> Response:
    """The newest plan as a caller would write it, and what it will take."""
    return _shown(runs.get(_tenant(), run_id))


@blueprint.put("/api/runs/<run_id>/plan")
@declare.operation(takes=Replacement, gives=WrittenPlan)
def replace(run_id: str) -> Response:
    """Another plan for a run whose plan waits for a look. It waits on."""
    asked, _ = bodies.read(Replacement)
    run = runs.get(_tenant(), run_id)
    plan = _checked({"steps": asked.steps, "note": asked.note}, run.agent, "#")
    _within(budgets.of_run(run.tenant, run_id) if run.accounts else None, plan)
    before = plans.newest(run.id)
    rows = steps.rows_of(
        plan,
        known_tools.required(),
        required=bool(before and before.source == "caller"),
        attempts=settings.current().step_attempts,
    )
    changed = reviews.replace(run.tenant, run_id, {"note": plan.note, "steps": rows}, revision=asked.revision)
    operating.carry_on(run_id, changed)
    return _shown(runs.get(run.tenant, run_id))


@blueprint.post("/api/plans/preview")
@declare.operation(takes=Forecasted, gives=PlanForecast, example=EXAMPLE)
def preview() -> Response:
    """Whether a plan keeps the rules (422 points at each fault), and what it will take."""
    asked, _ = bodies.read(Forecasted)
    return wire.reply(_forecast(_checked(asked.plan, asked.agent, "#/plan"), asked.agent))


def _checked(raw: Any, agent: str | None, pointer: str) -> Plan:
    """As a run's own plan is checked. Raises PlanRefused."""
    plan = plan_rules.parse(raw, pointer)
    if not plan.steps:
        fault = FieldError(f"{pointer}/steps", "has no step; give at least one, or cancel the run.")
        raise PlanRefused(f"{fault.pointer}: {fault.detail}", errors=[fault])
    plan_rules.check(
        plan, known_tools.allowed(_tenant(), agent), max_steps=settings.current().max_steps, pointer=pointer
    )
    return plan


def _within(budget: budgets.Budget | None, plan: Plan) -> None:
    limit = budget.limits.get("steps") if budget else None
    if limit is not None and len(plan.steps) > limit:
        fault = FieldError("#/steps", f"has {len(plan.steps)} steps, and the budget is of {limit:g}.")
        raise PlanRefused(f"{fault.pointer}: {fault.detail}", errors=[fault])


def _shown(run: Run) -> Response:
    found, tools = plans.newest(run.id), known_tools.current()
    required = bool(found and found.source == "caller")
    attempts = settings.current().step_attempts
    said = [
        reviews.written(step, tools.get(step.tool), required=required, attempts=attempts)
        for step in steps.of_run(run.id)
        if "[" not in step.id  # what forEach made of another
    ]
    plan = Plan.model_validate({"steps": [_plannable(step) for step in said]})
    known = all(step.tool in tools for step in plan.steps)
    shown: WrittenPlan = {
        "workflowId": str(run.id),
        "revision": run.plan_revision,
        "source": found.source if found else None,
        "note": found.note if found else None,
        "awaitsReview": reviews.holds(run),
        "steps": said,
        "preview": _forecast(plan, run.agent) if known else None,
    }
    return wire.reply(shown)


def _plannable(step: dict[str, Any]) -> dict[str, Any]:
    return step | {"dependsOn": [name for name in step["dependsOn"] if "[" not in name]}


def _forecast(plan: Plan, agent: str | None) -> PlanForecast:
    found = forecasts.of_plan(_tenant(), plan, known_tools.current(), model=_model(agent))
    return {
        "seconds": round(found.seconds, 3),
        "tokens": found.tokens,
        "cost": found.cost,
        "answer": _taken(found.answer),
        "steps": {name: _taken(taken) for name, taken in found.steps.items()},
        "unknown": found.unknown,
        "asks": found.asks,
    }


def _taken(taken: Taken | None) -> StepForecast | None:
    if taken is None:
        return None
    return {"samples": taken.samples, "seconds": round(taken.seconds, 3), "tokens": taken.tokens, "cost": taken.cost}


def _model(agent: str | None) -> str | None:
    """What a run of this agent asks, if a model is configured."""
    current = settings.current()
    if not current.model_configured:
        return None
    profile = next((one for one in agents.listed(_tenant()) if one.name == agent), None) if agent else None
    return (profile and profile.model) or current.model


def _tenant() -> str:
    return authentication.caller().tenant
