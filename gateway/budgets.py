"""/api/budgets: what a tenant may spend in a day; and a run's budget, which may be changed while it lives."""

from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import ConfigDict, Field, model_validator
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, wire
from gateway.wire import ShownBudget
from services.errors import NotFound
from services.journal import event_feed, runs
from services.pipeline import operating
from services.spending import budgets
from services.spending.budgets import OnExceed

blueprint = Blueprint("budgets", __name__)

Count = Annotated[int, Field(ge=0, le=10**12)]
Amount = Annotated[float, Field(ge=0, le=10**9, allow_inf_nan=False)]


class Budget(bodies.Body):
    """Limits; at least one. money: US dollars. onExceed: stop with what there is, degrade to PERDURE_CHEAP_MODEL, or
    ask: pause the run until somebody raises the budget."""

    model_config = ConfigDict(json_schema_extra=bodies.one_of("steps", "toolCalls", "tokens", "money", "seconds"))

    steps: Count | None = None
    tool_calls: Count | None = None
    tokens: Count | None = None
    money: Amount | None = None
    seconds: Amount | None = None
    on_exceed: OnExceed = "stop"

    @model_validator(mode="after")
    def _limits_something(self) -> "Budget":
        if not self.limits():
            raise ValueError(f"limits nothing; give one or more of {', '.join(budgets.DIMENSIONS)}")
        return self

    def limits(self) -> dict[str, float]:
        """The limits that are set, by dimension."""
        return self.model_dump(by_alias=True, exclude={"on_exceed"}, exclude_none=True)

    def to_row(self) -> dict[str, Any]:
        return {"limits": self.limits(), "onExceed": self.on_exceed}


_DAILY = bodies.one_of("steps", "toolCalls", "tokens", "money") | {
    "allOf": [{"properties": {"seconds": {"type": "null"}}}]
}


class DailyBudget(Budget):
    """The same for a day (UTC), without `seconds`."""

    model_config = ConfigDict(json_schema_extra=_DAILY)

    @model_validator(mode="after")
    def _has_no_seconds(self) -> "DailyBudget":
        if self.seconds is not None:
            raise ValueError("a day has its own seconds; leave `seconds` out")
        return self


class Dropped(TypedDict):
    """That it is gone."""

    deleted: bool


@blueprint.get("/api/budgets/daily")
@declare.operation(gives=ShownBudget)
def daily() -> Response:
    """The limits of a day, with what is spent today."""
    tenant = authentication.caller().tenant
    limits = budgets.of_account(tenant, budgets.DAILY)
    if limits is None:
        raise NotFound("There is no daily budget; PUT one here.")
    today = budgets.today(tenant)
    shown = {**wire.budget(limits), **({"spent": today.spent, "reserved": today.reserved} if today else {})}
    return wire.reply(shown)


@blueprint.put("/api/budgets/daily")
@declare.operation(takes=DailyBudget, gives=ShownBudget, example={"money": 5, "onExceed": "stop"})
def set_daily() -> Response:
    """Limit what the tenant's runs may spend together in a day; holds for runs that start from now on."""
    asked, _ = bodies.read(DailyBudget)
    budgets.set_daily(authentication.caller().tenant, asked.limits(), asked.on_exceed)
    return daily()


@blueprint.delete("/api/budgets/daily")
@declare.operation(gives=Dropped)
def drop_daily() -> Response:
    """Take the daily limits away."""
    budgets.drop_daily(authentication.caller().tenant)
    return wire.reply({"deleted": True})


@blueprint.put("/api/runs/<run_id>/budget")
@declare.operation(takes=Budget, gives=ShownBudget, example={"tokens": 20_000, "onExceed": "ask"})
def change(run_id: str) -> Response:
    """Give the run this budget; what it has spent stays. A run that waits for it goes on."""
    asked, _ = bodies.read(Budget)
    run = runs.get(authentication.caller().tenant, run_id)
    event_feed.publish(budgets.change_of_run(run.tenant, run_id, asked.limits(), asked.on_exceed))
    if run.paused_because is not None:
        operating.resume(run.tenant, run_id)
    found = budgets.of_run(run.tenant, run_id)
    return wire.reply(wire.budget(found) if found else {})
