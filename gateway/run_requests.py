"""What starts a run, wherever it is asked for: its shape, its checks, and the row that the journal takes."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, model_validator

from gateway import bodies, known_tools
from gateway.budgets import Budget
from gateway.fields import Moment, Name
from gateway.submission import Submission
from services import clock, settings
from services.errors import FieldError, PlanRefused
from services.journal import plan_rules, steps
from services.journal.plan_shape import Plan

DEFAULT_USER = "default"
MAX_REQUEST = 100_000
NOT_BLANK: dict[str, Any] = {"pattern": r"\S"}

# what to do while another run of the same conversation lives; rollback: as interrupt, and nothing is left of that run
OnBusy = Literal["reject", "enqueue", "interrupt", "rollback", "steer"]


class AsPlan:
    """Shows a plan's schema for what is checked by the plan rules later, with better words."""

    @classmethod
    def __get_pydantic_json_schema__(cls, _: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(Plan.__pydantic_core_schema__)


class Asked(bodies.Body):
    """What a run is to do: `request` in words, or a `plan`, or both."""

    model_config = ConfigDict(json_schema_extra=bodies.one_of("request", "plan"))

    request: Annotated[str, Field(min_length=1, max_length=MAX_REQUEST, json_schema_extra=NOT_BLANK)] | None = None
    plan: Annotated[dict[str, Any], AsPlan] | None = None
    review: Annotated[bool, Field(description="hold the plan until a person has looked at it")] = False
    conversation_id: Name | None = None
    user_id: Name | None = None
    agent: Name | None = None
    priority: Annotated[int, Field(ge=1, le=5, description="1 is the most urgent")] | None = None
    on_busy: OnBusy = "enqueue"
    budget: Budget | None = None
    deadline: Moment | None = None
    labels: Annotated[dict[Name, Annotated[str, Field(max_length=1_000)]], Field(max_length=64)] | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> "Asked":
        if self.request is None and self.plan is None:
            raise ValueError("give `request` (what you want, in words) or `plan` (its steps), or both")
        if self.request is not None and not self.request.strip():
            raise ValueError("`request` is blank; say what you want")
        return self


class StartRequest(Submission, Asked):
    """What a web app posts: what the run is to do, and when it begins, with which others, who is told."""

    @model_validator(mode="after")
    def _can_be_a_batch(self) -> "StartRequest":
        if self.coalesce is not None and self.coalesce.mode == "batch" and (self.plan or self.request is None):
            raise ValueError("a batch is of requests in words, without a `plan`")
        return self


def row(asked: StartRequest, tenant: str, *, pointer: str = "#") -> dict[str, Any]:
    """What `runs.create` takes, but for the id; the conversation's only where it was asked for.

    Raises PlanRefused below `pointer`, and Unavailable while no tool is known.
    """
    plan = _checked(asked, tenant, f"{pointer}/plan")
    made = {
        "tenant": tenant,
        "user_id": asked.user_id or DEFAULT_USER,
        "request": asked.request,
        "agent": asked.agent,
        "priority": asked.priority,
        "labels": asked.labels,
        "budget": asked.budget.to_row() if asked.budget else None,
        "deadline": clock.to_wire(asked.deadline),
        "review": asked.review,
        "plan": _written(plan) if plan else None,
    }
    made |= asked.submission([asked.request, asked.plan, asked.user_id, asked.agent, asked.conversation_id], pointer)
    if asked.conversation_id is not None:
        made["conversation_id"] = asked.conversation_id
        made["on_busy"] = _on_busy(asked)
    return made


def _on_busy(asked: StartRequest) -> OnBusy | None:
    if asked.request is None:
        return None
    if asked.on_busy == "steer" and (asked.plan or not settings.current().model_configured):
        return "enqueue"  # only a model can take a message into a plan
    return asked.on_busy


def _checked(asked: StartRequest, tenant: str, pointer: str) -> Plan | None:
    if asked.plan is None:
        return None
    plan = plan_rules.parse(asked.plan, pointer)
    if not plan.steps:
        fault = FieldError(f"{pointer}/steps", "has no step; give at least one, or only a `request`.")
        raise PlanRefused(f"{fault.pointer}: {fault.detail}", errors=[fault])
    tools = known_tools.allowed(tenant, asked.agent)
    plan_rules.check(plan, tools, max_steps=settings.current().max_steps, pointer=pointer)
    limit = (asked.budget.limits() if asked.budget else {}).get("steps")
    if limit is not None and len(plan.steps) > limit:
        fault = FieldError(f"{pointer}/steps", f"has {len(plan.steps)} steps, and the budget is of {limit:g}.")
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
