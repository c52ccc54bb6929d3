"""/v1/responses: a run as OpenAI's Responses API shows one; in the background, resumable, with approvals as items."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from gateway import authentication, declare, queries, wire
from gateway.fields import DIGITS, Flag
from gateway.openai_front import asking
from gateway.openai_front.chat import body, streamed
from gateway.openai_front.response_shape import Projection, shown
from services.approvals import approvals
from services.errors import NotFound
from services.journal import event_feed, runs
from services.journal.runs import Run
from services.pipeline import operating

MOST_EVENTS = 10**9
EXAMPLE = {"model": "perdure", "input": "What is 17% of 2340?"}

blueprint = Blueprint("openai_responses", __name__)


class ResponseRequest(BaseModel):
    """The fields that mean something here."""

    model_config = ConfigDict(extra="ignore", strict=True)

    input: str | list[dict[str, Any]]
    model: str = asking.DEFAULT_MODEL
    instructions: str | None = None
    previous_response_id: str | None = None
    background: bool = False
    stream: bool = False
    user: str | None = None
    metadata: dict[str, str] | None = None
    tools: list[Any] | None = Field(None, json_schema_extra={"maxItems": 0})


class Resumed(queries.Query):
    """Whether to stream, and after which event."""

    model_config = ConfigDict(alias_generator=None, extra="ignore")

    stream: Flag = False
    starting_after: Annotated[int, Field(ge=0, le=MOST_EVENTS), DIGITS] | None = None


class ShownResponse(TypedDict):
    """A run as OpenAI's Responses API shows one; more fields than these."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["queued", "in_progress", "completed", "failed", "cancelled"]
    background: bool
    error: dict[str, Any] | None
    model: str
    output: list[dict[str, Any]]
    usage: dict[str, Any] | None
    metadata: dict[str, Any]


@blueprint.post("/v1/responses")
@declare.operation(takes=ResponseRequest, gives=ShownResponse, streams=True, example=EXAMPLE)
def create() -> Response:
    """A run of what is asked; with an answer to an approval, the run that waits for it goes on."""
    asked = body(ResponseRequest)
    if asked.tools:
        raise asking.refused("#/tools", "are Perdure's own; register yours (docs/tools.md) and leave this out.")
    before = _found(asked.previous_response_id) if asked.previous_response_id else None
    run = _decided(before, asked) or _started(before, asked)
    if asked.stream:
        return streamed(_lines(run, -1))
    if not asked.background:
        _until_there_is_something(run)
    return wire.reply(shown(runs.get(run.tenant, str(run.id)), asked.model, background=asked.background))


@blueprint.get("/v1/responses/<response_id>")
@declare.operation(query=Resumed, gives=ShownResponse, streams=True)
def retrieve(response_id: str) -> Response:
    """The response as it stands, or (`stream=true`) its events after `starting_after`."""
    run = _found(response_id)
    asked = queries.read(Resumed)
    if asked.stream:
        return streamed(_lines(run, -1 if asked.starting_after is None else asked.starting_after))
    return wire.reply(shown(run, run.agent or asking.DEFAULT_MODEL, background=True))


@blueprint.post("/v1/responses/<response_id>/cancel")
@declare.operation(gives=ShownResponse)
def cancel(response_id: str) -> Response:
    """Cancel the run."""
    run = _found(response_id)
    event_feed.publish(runs.request_cancel(run.tenant, str(run.id)))
    return wire.reply(shown(runs.get(run.tenant, str(run.id)), run.agent or asking.DEFAULT_MODEL, background=True))


def _started(before: Run | None, asked: ResponseRequest) -> Run:
    messages = [{"role": "user", "content": asked.input}] if isinstance(asked.input, str) else asked.input
    said = [item for item in messages if item.get("type", "message") == "message"]
    read = asking.read(said, "#/input", asked.instructions)
    conversation = before.conversation_id if before else None
    return asking.start(read, asked.model, user=asked.user, labels=asked.metadata, conversation=conversation)


def _decided(before: Run | None, asked: ResponseRequest) -> Run | None:
    """The run that an approval in the input belongs to, which goes on; None when there is none."""
    answers = (
        []
        if isinstance(asked.input, str)
        else [item for item in asked.input if item.get("type") == "mcp_approval_response"]
    )
    if not answers or before is None:
        return None
    for item in answers:
        approval, _ = approvals.get(before.tenant, str(item.get("approval_request_id", "")).removeprefix("mcpr_"))
        if item.get("approve"):
            changed = approvals.approve(before.tenant, str(approval.id), by=_person())
        else:
            changed = approvals.reject(before.tenant, str(approval.id), by=_person(), reason=item.get("reason"))
        operating.carry_on(str(approval.run_id), changed)
    return runs.get(before.tenant, str(before.id))


def _until_there_is_something(run: Run) -> None:
    """Until the run has ended, or newly asks a person."""
    after = run.last_seq if run.last_seq > 1 else 0
    for event in asking.events(run, after):
        if event and event["name"] == "approval.requested":
            return


def _lines(run: Run, after: int) -> Iterator[str]:
    projection = Projection(run, run.agent or asking.DEFAULT_MODEL)
    for told in projection.told(asking.events(run)):
        if told is None:
            yield ": still at work\n\n"
        elif told["sequence_number"] > after:
            yield f"event: {told['type']}\ndata: {orjson.dumps(told).decode()}\n\n"


def _found(response_id: str) -> Run:
    try:
        run_id = UUID(response_id.removeprefix("resp_"))
    except ValueError as error:
        raise NotFound(f"There is no response {response_id[:80]!r}.") from error
    return runs.get(authentication.caller().tenant, str(run_id))


def _person() -> str:
    return authentication.caller().actor
