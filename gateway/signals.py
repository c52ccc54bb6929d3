"""/api/signals: tell runs that something happened; see who waits."""

from typing import Annotated, Any

from flask import Blueprint, Response, request
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, wire
from gateway.declare import Page, Taken, Text
from gateway.fields import Id, Time
from services import clock
from services.approvals import approvals, one_shot
from services.approvals.approvals import Approval
from services.journal import signals
from services.pipeline import operating

blueprint = Blueprint("signals", __name__)

ANY_BODY = Text("*/*", "Whatever it carries: JSON, or text.")
NOT_KEPT = {"authorization", "cookie"}
Name = Annotated[str, Field(min_length=1, max_length=500)]


class Signal(bodies.Body):
    """name: what steps wait for. data: any JSON, the output of their wait. workflowId: only this run."""

    name: Name
    data: Any = None
    workflow_id: Annotated[str, Field(max_length=100)] | None = None


class Wanted(queries.Query):
    """Who waits for a signal of this name; for any, if left out."""

    name: Name | None = None
    limit: int = queries.limit(200, 1_000)
    cursor: queries.Cursor | None = None


class Woken(TypedDict):
    """A step that goes on."""

    workflowId: Id
    stepId: str


class Sent(TypedDict):
    """The signal's number, and whom it woke; it is kept for steps that come to wait for it."""

    id: str
    woken: list[Woken]


class Waiter(TypedDict):
    """A step that waits for a signal."""

    name: str
    workflowId: Id
    stepId: str
    since: Time
    until: Time


@blueprint.post("/api/signals")
@declare.operation(takes=Signal, gives={202: Sent}, example={"name": "order-17-paid", "data": {"amount": 40}})
def send() -> Response:
    """Keep the signal, and wake the steps that wait for it; tells whom it woke."""
    asked, _ = bodies.read(Signal)
    number, woken = signals.send(_tenant(), asked.name, asked.data, run_id=asked.workflow_id)
    for each in woken:
        operating.carry_on(each.run_id, each.changed)
    told = [{"workflowId": each.run_id, "stepId": step} for each in woken for step in each.steps]
    return wire.reply({"id": str(number), "woken": told}, status=202)


@blueprint.get("/api/signals/waiters")
@declare.operation(query=Wanted, gives=Page[Waiter])
def waiters() -> Response:
    """The steps that wait, oldest first; `name` narrows it."""
    asked = queries.read(Wanted)
    found = approvals.waiting(_tenant(), asked.name, limit=asked.limit + 1, after=queries.place(asked.cursor))
    cursor = queries.cursor_of
    return wire.reply(queries.page(found, asked.limit, _waiter, lambda one: cursor(one.requested_at, one.id)))


def _waiter(approval: Approval) -> Waiter:
    return {
        "name": approval.arguments["event"],
        "workflowId": str(approval.run_id),
        "stepId": approval.step_id,
        "since": clock.to_wire(approval.requested_at),
        "until": clock.to_wire(approval.expires_at),
    }


@blueprint.route("/callbacks/once/<run_id>/<token>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
@declare.operation(takes=ANY_BODY, gives={202: Taken})
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
