"""/api/runs/<id>/replay and /recording, /api/replays: have an ended run told the same again; where the two differ."""

from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, wire
from gateway.fields import Id, Time
from services.errors import BadInput, FieldError
from services.pipeline import phases
from services.replay import recordings, replays

blueprint = Blueprint("replays", __name__)

StepId = Annotated[str, Field(min_length=1, max_length=100)]


class ReplayRequest(bodies.Body):
    """liveFrom: a step that is done in earnest, with all that follows it."""

    live_from: StepId | None = None


class ImportedReplay(ReplayRequest):
    """recording: what GET /api/runs/<id>/recording has given, from here or from another stack."""

    recording: dict[str, Any]


class Recording(TypedDict):
    """All that an ended run was given, and its history. source: the run. model: whether a model was asked."""

    version: int
    source: Id
    request: str | None
    userId: str
    agent: str | None
    profile: dict[str, Any]
    createdAt: Time
    model: bool
    promptVersion: str | None
    tools: dict[str, str]
    plan: dict[str, Any] | None
    calls: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    history: list[dict[str, Any]]


class StartedReplay(TypedDict):
    """The run that replays, and where its report is."""

    workflowId: Id
    reportUrl: str


class Difference(TypedDict):
    """Where a replay differs. at: plan, answer, run or the id of a step. expected, got: null where it is missing."""

    at: str
    what: str
    detail: str
    expected: Any
    got: Any


class Digests(TypedDict):
    """The hashes of the two histories."""

    expected: str
    got: str


class ReplayReport(TypedDict):
    """Where a replay differs from its source. equal: it has ended, and its history is the same byte for byte."""

    source: Id
    workflowId: Id
    ended: bool
    equal: bool
    digest: Digests
    first: Difference | None
    differences: list[Difference]


@blueprint.get("/api/runs/<run_id>/recording")
@declare.operation(gives=Recording)
def recording(run_id: str) -> Response:
    """All that an ended run was given, and its history."""
    return wire.reply(recordings.of_run(_tenant(), run_id))


@blueprint.post("/api/runs/<run_id>/replay")
@declare.operation(takes=ReplayRequest, gives={202: StartedReplay})
def replay(run_id: str) -> Response:
    """Start a run that is told by models and tools what this one was told; nothing is asked, called or spent."""
    asked, _ = bodies.read(ReplayRequest)
    return _started(recordings.of_run(_tenant(), run_id), asked.live_from)


@blueprint.post("/api/replays")
@declare.operation(takes=ImportedReplay, gives={202: StartedReplay})
def replay_recording() -> Response:
    """The same for a recording that was kept elsewhere."""
    asked, _ = bodies.read(ImportedReplay)
    fault = recordings.fault(asked.recording)
    if fault:
        raise BadInput(f"#/recording{fault}", errors=[FieldError(f"#/recording{fault.partition(' ')[0]}", fault)])
    return _started(asked.recording, asked.live_from)


@blueprint.get("/api/replays/<run_id>")
@declare.operation(gives=ReplayReport)
def report(run_id: str) -> Response:
    """Where a replay differs from what it replays, in the order of the plan; `first` is null if it does not."""
    return wire.reply(replays.report(_tenant(), run_id))


def _started(recorded: dict[str, Any], live_from: str | None) -> Response:
    run_id = replays.create(_tenant(), recorded, live_from=live_from)
    phases.start(run_id, planned=recorded["plan"] is not None)
    return wire.reply({"workflowId": run_id, "reportUrl": f"/api/replays/{run_id}"}, status=202)


def _tenant() -> str:
    return authentication.caller().tenant
