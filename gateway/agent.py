"""POST /api/agent/start: take a request or a plan, commit it as a run, ring the pipeline."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from gateway import authentication, bodies, run_requests, wire
from gateway.run_requests import StartRequest
from services import clock, failpoints
from services.errors import BadInput, Conflict
from services.failpoints import Failpoint
from services.journal import conversations, event_feed, idempotency, runs
from services.pipeline import phases

ROUTE = "POST /api/agent/start"

blueprint = Blueprint("agent", __name__)


@blueprint.post("/api/agent/start")
def start() -> Response:
    """Answers 202 once the run is committed; nothing that was answered so is ever lost."""
    asked, body = bodies.read(StartRequest)
    run = run_requests.row(asked, authentication.caller().tenant)
    run_id = runs.new_id()
    conversation_id = asked.conversation_id or str(run_id)
    accepted = _accepted(run_id, conversation_id)
    once = _idempotency(body, accepted)
    made = runs.accept(run | {"id": str(run_id), "conversation_id": conversation_id, "idempotency": once})
    event_feed.publish(made.others)
    if made.existing is not None:
        return _existing(made)
    if made.busy is not None:
        return _busy(asked, made, accepted)
    if once and not made.events:
        return _replayed(once)
    failpoints.reached(Failpoint.RUN_CREATED)
    # run.created is not published: nobody can be listening to an id that nobody has been told yet.
    if run.keys() & {"not_before", "coalesce"}:
        return _held(run_id, accepted)
    phases.start(str(run_id), planned=run["plan"] is not None)
    return _reply(accepted)


def _existing(made: runs.Accepted) -> Response:
    """A run that was there before stands for this one too."""
    found = runs.get(authentication.caller().tenant, made.existing or "")
    return _reply(_accepted(found.id, found.conversation_id) | {"status": found.status, made.how or "": True})


def _held(run_id: UUID, accepted: dict[str, Any]) -> Response:
    """Accepted, and begun now unless it is held back."""
    found = runs.get(authentication.caller().tenant, str(run_id))
    if found.held_until is None:
        phases.start(str(run_id), planned=found.plan_revision > 0)
        return _reply(accepted)
    return _reply(accepted | {"notBefore": clock.to_wire(found.held_until)})


def _busy(asked: StartRequest, made: runs.Accepted, accepted: dict[str, Any]) -> Response:
    """Another run of the conversation lives."""
    tenant, other = authentication.caller().tenant, made.busy or ""
    if asked.on_busy == "reject":
        raise Conflict(f"The conversation is busy with run {other}; wait for it, or say `onBusy`.")
    if made.steered:
        event_feed.publish(made.events)
        found = runs.get(tenant, other)
        steered = _accepted(found.id, found.conversation_id) | {"status": found.status, "steered": True}
        return _reply(steered)
    if asked.on_busy in ("interrupt", "rollback"):
        event_feed.publish(runs.request_cancel(tenant, other))
    if asked.on_busy == "rollback":
        conversations.withdraw(tenant, other)
    return _reply(accepted | {"waitsFor": other})


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
