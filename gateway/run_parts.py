"""What `?include=` adds to a run: its steps, plan, budget, events, approvals, attempts, or what its models took."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from typing_extensions import TypedDict

from gateway import approvals as door
from gateway import wire
from gateway.approvals import ShownApproval
from gateway.families import Family
from gateway.fields import Id, Time
from gateway.wire import RunInFull, RunSummary, ShownAttempt, ShownBudget, ShownPlan, StepInFull
from services.approvals import approvals
from services.journal import attempts, events, plans, steps
from services.journal.event_names import EventName
from services.journal.runs import Run
from services.spending import budgets, usage

Part = Literal["steps", "plan", "budget", "events", "approvals", "attempts", "usage"]
MOST_EVENTS = 1_000


class ShownEvent(TypedDict):
    """Something that happened. The payloads by name: services/journal/event_names.py."""

    seq: int
    name: EventName
    workflowId: Id
    stepId: str | None
    at: Time
    data: dict[str, Any]


class StepAttempt(ShownAttempt):
    """An attempt with the step that it was at."""

    stepId: str


class ModelUse(TypedDict):
    """What the calls of models took. cost: US dollars, of those calls whose price is known."""

    calls: int
    inputTokens: int
    outputTokens: int
    cachedTokens: int
    cost: float | None
    unpricedCalls: int


class _More(TypedDict, total=False):
    events: list[ShownEvent]
    approvals: list[ShownApproval]
    attempts: list[StepAttempt]
    modelUse: ModelUse


class ListedRun(RunSummary, _More, total=False):
    """A run in a list, with what `include` asked for. events: the first thousand."""

    plan: ShownPlan | None
    steps: list[StepInFull]
    budget: ShownBudget | None


class ShownRun(RunInFull, Family, _More):
    """A run in full, with what `include` asked for. events: the first thousand."""


def of(run: Run, wanted: Sequence[Part]) -> dict[str, Any]:
    """These parts of the run, by their names."""
    return {("modelUse" if part == "usage" else part): _PARTS[part](run) for part in dict.fromkeys(wanted)}


def _plan(run: Run) -> ShownPlan | None:
    plan = plans.newest(run.id)
    return wire.plan_shown(plan, steps.of_run(run.id)) if plan else None


def _budget(run: Run) -> ShownBudget | None:
    found = budgets.of_run(run.tenant, str(run.id)) if run.accounts else None
    return wire.budget(found) if found else None


def attempts_of(run: Run) -> list[StepAttempt]:
    """Every ended attempt of every step, by step and in order."""
    return [{"stepId": each.step_id, **wire.attempt(each)} for each in attempts.of_run(run.id)]


def use(row: dict[str, Any]) -> ModelUse:
    """A row of usage.report."""
    return {
        "calls": row["calls"],
        "inputTokens": row["input_tokens"],
        "outputTokens": row["output_tokens"],
        "cachedTokens": row["cached_tokens"],
        "cost": None if row["cost"] is None else float(row["cost"]),
        "unpricedCalls": row["unpriced"],
    }


def _usage(run: Run) -> ModelUse:
    found = usage.report(run.tenant, "run", since=None, until=None, run_id=run.id, limit=1)
    nothing = {"calls": 0, "input_tokens": 0, "output_tokens": 0, "cached_tokens": 0, "cost": 0, "unpriced": 0}
    return use(found[0] if found else nothing)


def _approvals(run: Run) -> list[ShownApproval]:
    return [door.shown(*each) for each in approvals.listed(run.tenant, status=None, run_id=run.id)]


_PARTS: dict[Part, Callable[[Run], Any]] = {
    "steps": lambda run: [wire.step_in_full(step) for step in steps.of_run(run.id)],
    "plan": _plan,
    "budget": _budget,
    "events": lambda run: events.after(run.id, 0, limit=MOST_EVENTS),
    "approvals": _approvals,
    "attempts": attempts_of,
    "usage": _usage,
}
