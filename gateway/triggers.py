"""/api/triggers and /hooks/<id>: URLs that start runs. What a call carries goes into the run by a template."""

from typing import Annotated, Any

from flask import Blueprint, Response, request
from pydantic import Field, ValidationError
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, run_requests, wire
from gateway.declare import Named, Page, Text
from gateway.fields import Id, Time
from gateway.publishing import Name
from gateway.run_requests import StartRequest
from services import clock, tenants
from services.delivery import templates, triggers
from services.delivery.triggers import Mode, Trigger
from services.errors import BadInput, Conflict, FieldError
from services.journal import event_feed, runs
from services.pipeline import phases

EXAMPLE = {"name": "orders", "start": {"request": "Look at order {{body.id}}"}}

blueprint = Blueprint("triggers", __name__)

Secret = Annotated[str, Field(min_length=16, max_length=500)]


class NewTrigger(bodies.Body):
    """start: as for POST /api/agent/start, with places like {{body.order.id}}. mode: signed, or secret in the URL."""

    name: Name
    mode: Mode = "signed"
    start: dict[str, Any]
    secret: Secret | None = None


class TriggerChange(bodies.Body):
    """What to change; what is left out stays."""

    start: dict[str, Any] | None = None
    paused: bool | None = None


class Call(bodies.Body):
    """A call that might come."""

    body: Any = None
    headers: dict[str, str] = Field(default_factory=dict)
    query: dict[str, str] = Field(default_factory=dict)


class ShownTrigger(TypedDict):
    """A URL that starts runs, and what it starts."""

    name: str
    url: str
    mode: str
    start: dict[str, Any]
    paused: bool
    createdAt: Time


class NewlyMadeTrigger(ShownTrigger):
    """A new trigger with its secret."""

    secret: str | None


class WouldStart(TypedDict):
    """What a call would start."""

    start: dict[str, Any]


class Called(TypedDict):
    """The run that was started, or that stands for this call too."""

    workflowId: Id
    status: str


@blueprint.get("/api/triggers")
@declare.operation(gives=Page[ShownTrigger])
def listed() -> Response:
    """All triggers by name."""
    return wire.reply(queries.all_of(triggers.listed(_tenant()), _shown))


@blueprint.post("/api/triggers")
@declare.operation(takes=NewTrigger, gives={201: NewlyMadeTrigger}, example=EXAMPLE)
def add() -> Response:
    """A new trigger; its secret is shown this once."""
    asked, _ = bodies.read(NewTrigger)
    _check(asked.start)
    made, secret = triggers.add(_tenant(), asked.name, asked.mode, asked.start, asked.secret)
    return wire.reply({**_shown(made), "secret": secret}, status=201)


@blueprint.get("/api/triggers/<name>")
@declare.operation(gives=ShownTrigger)
def show(name: str) -> Response:
    """One trigger."""
    return wire.reply(_shown(triggers.get(_tenant(), name)))


@blueprint.patch("/api/triggers/<name>")
@declare.operation(takes=TriggerChange, gives=ShownTrigger)
def change(name: str) -> Response:
    """Change what it starts, pause it, resume it."""
    asked, _ = bodies.read(TriggerChange)
    if asked.start is not None:
        _check(asked.start)
    fields = asked.model_dump(exclude_none=True)
    return wire.reply(_shown(triggers.change(_tenant(), name, **fields)))


@blueprint.delete("/api/triggers/<name>")
@declare.operation(gives=Named)
def remove(name: str) -> Response:
    """Forget a trigger; its URL is unknown from now on."""
    triggers.remove(_tenant(), name)
    return wire.reply({"name": name})


@blueprint.post("/api/triggers/<name>/test")
@declare.operation(takes=Call, gives=WouldStart)
def test(name: str) -> Response:
    """What such a call would start; starts nothing."""
    asked, _ = bodies.read(Call)
    found = triggers.get(_tenant(), name)
    call = {"body": asked.body, "headers": _lower(asked.headers), "query": asked.query}
    _row(found, call)
    return wire.reply({"start": templates.filled(found.start, call)})


@blueprint.post("/hooks/<trigger_id>")
@declare.operation(takes=Text("*/*", "Whatever the caller sends: JSON, or text."), gives={202: Called})
def called(trigger_id: str) -> Response:
    """A call: starts a run. 401 for a signature that does not fit, 409 for a call that came before."""
    raw = request.get_data(cache=True)
    headers = _lower(dict(request.headers))
    trigger, message_id = triggers.called(trigger_id, headers, raw)
    tenants.enter(trigger.tenant)
    row = _row(trigger, {"body": bodies.anything(raw), "headers": headers, "query": dict(request.args)})
    made = triggers.start(trigger, message_id, row)
    event_feed.publish(made.others)
    if made.busy is not None and row.get("on_busy") == "reject":
        raise Conflict(f"The conversation is busy with run {made.busy}; call again later.")
    run_id = made.existing or (made.busy if made.steered else row["id"])
    if not (made.existing or made.busy or row.keys() & {"not_before", "coalesce"}):
        phases.start(str(row["id"]), planned=row["plan"] is not None)
    return wire.reply({"workflowId": run_id, "status": "queued"}, status=202)


def _row(trigger: Trigger, call: dict[str, Any]) -> dict[str, Any]:
    """What `runs.accept` takes. Raises BadInput where the call does not fit the template."""
    try:
        asked = StartRequest.model_validate(templates.filled(trigger.start, call))
    except ValidationError as error:
        faults = [
            FieldError("/".join(["#/start", *map(str, fault["loc"])]), f"{fault['msg']} with what this call carries.")
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise BadInput(f"{faults[0].pointer}: {faults[0].detail}", errors=faults) from error
    row = run_requests.row(asked, trigger.tenant, pointer="#/start")
    run_id = str(runs.new_id())
    row["labels"] = {**(row["labels"] or {}), "trigger": trigger.name}
    return {"conversation_id": run_id, **row, "id": run_id}


def _check(start: dict[str, Any]) -> None:
    templates.check(start, "#/start")
    known = {field.alias or name for name, field in StartRequest.model_fields.items()}
    for name in start:
        if name not in known:
            detail = f"is no field of a run's start; known fields: {', '.join(sorted(known))}."
            raise BadInput(f"#/start/{name}: {detail}", errors=[FieldError(f"#/start/{name}", detail)])
    if not start.keys() & {"request", "plan"}:
        detail = "needs `request` or `plan`."
        raise BadInput(f"#/start: {detail}", errors=[FieldError("#/start", detail)])


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _shown(found: Trigger) -> ShownTrigger:
    return {
        "name": found.name,
        "url": found.url,
        "mode": found.mode,
        "start": found.start,
        "paused": found.paused,
        "createdAt": clock.to_wire(found.created_at),
    }


def _tenant() -> str:
    return authentication.caller().tenant
