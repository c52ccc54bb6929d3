"""/api/runs: list, read, cancel."""

from flask import Blueprint, Response, request

from gateway import authentication, queries, wire
from services.journal import delegations, plans, runs, steps
from services.pipeline import operating
from services.spending import budgets

blueprint = Blueprint("runs", __name__)


@blueprint.get("/api/runs")
def listed() -> Response:
    """The tenant's runs that fit, newest first; `next` is the cursor of the page after, or null."""
    queries.known_only("limit", "cursor", "status", "conversationId", "text", "agent", "label", "since", "until")
    limit = queries.integer("limit", 50, least=1, most=200)
    wanted = runs.Filter(
        status=queries.choice("status", ["live", *(status.value for status in runs.RunStatus)]),
        text=request.args.get("text"),
        agent=request.args.get("agent"),
        conversation_id=request.args.get("conversationId"),
        labels=queries.labels(),
        since=queries.moment("since"),
        until=queries.moment("until"),
    )
    found = runs.listed(authentication.caller().tenant, wanted, limit=limit + 1, before=queries.cursor())
    page = found[:limit]
    more = len(found) > limit
    following = queries.cursor_of(page[-1].created_at, page[-1].id) if more else None
    return wire.reply({"items": [wire.run_summary(run) for run in page], "next": following})


@blueprint.get("/api/runs/<run_id>")
def show(run_id: str) -> Response:
    """One run with its plan, its steps and its answer as they stand."""
    run = runs.get(authentication.caller().tenant, run_id)
    budget = budgets.of_run(run.tenant, run_id) if run.accounts else None
    shown = wire.run_in_full(run, plans.newest(run.id), steps.of_run(run.id))
    parent = delegations.of_child(run.id)
    family = {
        "parent": {"workflowId": str(parent.parent_id), "stepId": parent.step_id} if parent else None,
        "children": [wire.child(each, status) for each, status in delegations.of_parent(run.id)],
    }
    return wire.reply(shown | family | {"budget": wire.budget(budget) if budget else None})


@blueprint.get("/api/runs/<run_id>/tree")
def tree(run_id: str) -> Response:
    """The run with all that it has delegated, and what each and all below it have cost."""
    return wire.reply(wire.tree(delegations.tree(authentication.caller().tenant, run_id)))


@blueprint.post("/api/runs/<run_id>/cancel")
def cancel(run_id: str) -> Response:
    """Ask the run to stop; a finished run stays as it is. Answers 202 with the run."""
    tenant = authentication.caller().tenant
    operating.cancel(tenant, run_id)
    return wire.reply(wire.run_summary(runs.get(tenant, run_id)), status=202)
