"""POST /api/agent/start: take a request or a plan, commit it as a run, ring the pipeline."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from gateway import authentication, bodies, declare, run_requests, wire
from gateway.fields import Id, Time
from gateway.run_requests import StartRequest
from gateway.wire import Started
from services import clock, failpoints
from services.errors import BadInput, Conflict
from services.failpoints import Failpoint
from services.journal import conversations, event_feed, idempotency, runs
from services.pipeline import phases
from services.tracing import identity

ROUTE = "POST /api/agent/start"

EXAMPLE = {"request": "What is 17% of 2340?", "userId": "ada", "labels": {"shop": "berlin"}}

blueprint = Blueprint("agent", __name__)


class Accepted(Started, total=False):
    """waitsFor: the run of its conversation that it comes after. steered: what was asked went into this run.

    notBefore: it is held back until then. deduplicated, coalesced: this run, which was there, stands for it too.
    """

    waitsFor: Id
    steered: bool
    notBefore: Time
    deduplicated: bool
    coalesced: bool


@blueprint.post("/api/agent/start")
@declare.operation(takes=StartRequest, gives={202: Accepted}, example=EXAMPLE)
def start() -> Response:
    """Start a run of what is asked, in words or as a plan. Answers 202 once it is committed, and so never lost."""
    asked, body = bodies.read(StartRequest)
    run = run_requests.row(asked, authentication.caller().tenant)
    run_id = runs.new_id()
    conversation_id = asked.conversation_id or str(run_id)
    accepted: Accepted = {**wire.started(run_id, conversation_id)}
    once = _idempotency(body, accepted)
    run["traceparent"] = identity.valid(request.headers.get(identity.HEADER))
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
    return _reply({**wire.started(found.id, found.conversation_id, found.status), made.how or "": True})


def _held(run_id: UUID, accepted: Accepted) -> Response:
    """Accepted, and begun now unless it is held back."""
    found = runs.get(authentication.caller().tenant, str(run_id))
    if found.held_until is None:
        phases.start(str(run_id), planned=found.plan_revision > 0)
        return _reply(accepted)
    return _reply({**accepted, "notBefore": clock.to_wire(found.held_until)})


def _busy(asked: StartRequest, made: runs.Accepted, accepted: Accepted) -> Response:
    """Another run of the conversation lives."""
    tenant, other = authentication.caller().tenant, made.busy or ""
    if asked.on_busy == "reject":
        raise Conflict(f"The conversation is busy with run {other}; wait for it, or say `onBusy`.")
    if made.steered:
        event_feed.publish(made.events)
        found = runs.get(tenant, other)
        return _reply({**wire.started(found.id, found.conversation_id, found.status), "steered": True})
    if asked.on_busy in ("interrupt", "rollback"):
        event_feed.publish(runs.request_cancel(tenant, other))
    if asked.on_busy == "rollback":
        conversations.withdraw(tenant, other)
    return _reply({**accepted, "waitsFor": other})


def _idempotency(body: Any, accepted: Accepted) -> dict[str, Any] | None:
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
    made = _reply(first)
    made.headers["Idempotent-Replayed"] = "true"
    return made


def _reply(accepted: Any) -> Response:
    made = wire.reply(accepted or {}, status=202)
    if accepted:
        made.headers["Location"] = f"/api/runs/{accepted['workflowId']}"
    return made
