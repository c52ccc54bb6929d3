"""/api/signals: tell runs that something happened; see who waits."""

from typing import Annotated, Any

from flask import Blueprint, Response, request
from pydantic import Field

from gateway import authentication, bodies, queries, wire
from services import clock
from services.approvals import approvals, one_shot
from services.journal import signals
from services.pipeline import operating

blueprint = Blueprint("signals", __name__)

NOT_KEPT = {"authorization", "cookie"}
Name = Annotated[str, Field(min_length=1, max_length=500)]


class Signal(bodies.Body):
    """name: what steps wait for. data: any JSON, the output of their wait. workflowId: only this run."""

    name: Name
    data: Any = None
    workflow_id: Annotated[str, Field(max_length=100)] | None = None


@blueprint.post("/api/signals")
def send() -> Response:
    """Keep the signal, and wake the steps that wait for it; tells whom it woke."""
    asked, _ = bodies.read(Signal)
    number, woken = signals.send(_tenant(), asked.name, asked.data, run_id=asked.workflow_id)
    for each in woken:
        operating.carry_on(each.run_id, each.changed)
    told = [{"workflowId": each.run_id, "stepId": step} for each in woken for step in each.steps]
    return wire.reply({"id": str(number), "woken": told}, status=202)


@blueprint.get("/api/signals/waiters")
def waiters() -> Response:
    """The steps that wait, oldest first; `name` narrows it."""
    queries.known_only("name")
    name = request.args.get("name")
    found = approvals.listed(_tenant(), status="open", run_id=None, limit=1_000, kinds=["signal"])
    items = [
        {
            "name": approval.arguments["event"],
            "workflowId": str(approval.run_id),
            "stepId": approval.step_id,
            "since": clock.to_wire(approval.requested_at),
            "until": clock.to_wire(approval.expires_at),
        }
        for approval, _ in found
        if name is None or approval.arguments["event"] == name
    ]
    return wire.reply({"items": items, "next": None})


@blueprint.route("/callbacks/once/<run_id>/<token>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def once(run_id: str, token: str) -> Response:
    """A call of a one-shot callback URL: kept with its headers and body, for the step that waits for it."""
    raw = request.get_data(cache=False)
    call = {
        "method": request.method,
        "headers": {name.lower(): value for name, value in request.headers if name.lower() not in NOT_KEPT},
        "query": dict(request.args),
        "body": bodies.anything(raw),
    }
    for each in one_shot.called(run_id, token, call):
        operating.carry_on(each.run_id, each.changed)
    return wire.reply({"status": "taken"}, status=202)


def _tenant() -> str:
    return authentication.caller().tenant
