"""/api/runs: list, read, cancel."""

from flask import Blueprint, Response, request

from gateway import authentication, queries, wire
from services.journal import event_feed, plans, runs, steps

blueprint = Blueprint("runs", __name__)


@blueprint.get("/api/runs")
def listed() -> Response:
    """The tenant's runs, newest first; `next` is the cursor of the page after, or null."""
    queries.known_only("limit", "cursor", "status", "conversationId")
    limit = queries.integer("limit", 50, least=1, most=200)
    status = queries.choice("status", [status.value for status in runs.RunStatus])
    tenant = authentication.caller().tenant
    conversation = request.args.get("conversationId")
    found = runs.listed(tenant, limit=limit + 1, before=queries.cursor(), status=status, conversation_id=conversation)
    page = found[:limit]
    more = len(found) > limit
    following = queries.cursor_of(page[-1].created_at, page[-1].id) if more else None
    return wire.reply({"items": [wire.run_summary(run) for run in page], "next": following})


@blueprint.get("/api/runs/<run_id>")
def show(run_id: str) -> Response:
    """One run with its plan, its steps and its answer as they stand."""
    run = runs.get(authentication.caller().tenant, run_id)
    return wire.reply(wire.run_in_full(run, plans.newest(run.id), steps.of_run(run.id)))


@blueprint.post("/api/runs/<run_id>/cancel")
def cancel(run_id: str) -> Response:
    """Ask the run to stop; a finished run stays as it is. Answers 202 with the run."""
    tenant = authentication.caller().tenant
    event_feed.publish(runs.request_cancel(tenant, run_id))
    return wire.reply(wire.run_summary(runs.get(tenant, run_id)), status=202)
