"""/v1/models and /v1/chat/completions."""

from collections.abc import Iterator
from typing import Any, Literal

import orjson
from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import TypedDict

from gateway import authentication, declare, wire
from gateway.openai_front import asking
from gateway.openai_front.asking import Growing
from gateway.streams import capacity, sse
from services.agents import agents
from services.errors import BadInput, PerdureError
from services.journal import runs
from services.journal.runs import Run

EXAMPLE = {"model": "perdure", "messages": [{"role": "user", "content": "What is 17% of 2340?"}]}

blueprint = Blueprint("openai_chat", __name__)


class RunFailed(PerdureError):
    """The run that was to answer has failed."""

    title = "The run failed"
    status = 422  # not one that clients repeat: each repetition is another run


class StreamOptions(BaseModel):
    """include_usage: a last chunk says how many tokens it took."""

    model_config = ConfigDict(strict=True)

    include_usage: bool = False


class ChatRequest(BaseModel):
    """The fields that mean something here; sampling is the agent's affair."""

    model_config = ConfigDict(extra="ignore", strict=True)

    messages: list[dict[str, Any]]
    model: str = asking.DEFAULT_MODEL
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    n: int | None = Field(None, json_schema_extra={"enum": [1, None]})
    tools: list[Any] | None = Field(None, json_schema_extra={"maxItems": 0})


class ShownModel(TypedDict):
    """An agent, as a model."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class Models(TypedDict):
    """All of them."""

    object: Literal["list"]
    data: list[ShownModel]


class ChatCompletion(TypedDict):
    """The answer of a run."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[dict[str, Any]]
    usage: dict[str, Any]


@blueprint.get("/v1/models")
@declare.operation(gives=Models)
def models() -> Response:
    """The agents, and `perdure` for runs without one."""
    found = agents.listed(authentication.caller().tenant)
    listed = [_model(asking.DEFAULT_MODEL, 0), *(_model(one.name, int(one.created_at.timestamp())) for one in found)]
    return wire.reply({"object": "list", "data": listed})


@blueprint.get("/v1/models/<name>")
@declare.operation(gives=ShownModel)
def model(name: str) -> Response:
    """One of them."""
    agent = asking.agent_of(name)
    return wire.reply(_model(agent or name, 0))


@blueprint.post("/v1/chat/completions")
@declare.operation(takes=ChatRequest, gives=ChatCompletion, streams=True, example=EXAMPLE)
def complete() -> Response:
    """The answer of a run to the last message; earlier messages are its conversation."""
    asked = body(ChatRequest)
    if asked.tools:
        raise asking.refused("#/tools", "are Perdure's own; register yours (docs/tools.md) and leave this out.")
    if asked.n not in (None, 1):
        raise asking.refused("#/n", "must be 1.")
    read = asking.read(asked.messages, "#/messages")
    run = asking.start(read, asked.model, user=asked.user, labels=asked.metadata, conversation=None)
    if not asked.stream:
        return _whole(run, asked.model)
    return streamed(_chunks(run, asked))


def body(shape: type[Any]) -> Any:
    """The request's body. Raises BadInput naming the first faulty field."""
    try:
        return shape.model_validate(orjson.loads(request.get_data() or b"null"))
    except orjson.JSONDecodeError as error:
        raise BadInput("The body is not valid JSON.") from error
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise asking.refused("#/" + "/".join(map(str, fault["loc"])), f"{fault['msg']}.") from error


def streamed(lines: Iterator[str]) -> Response:
    """Server-sent events."""
    capacity.check()
    sse.never_block_for_ever(request.environ)
    made = Response(_placed(lines), content_type="text/event-stream; charset=utf-8")
    made.headers["Cache-Control"] = "no-cache"
    made.headers["X-Accel-Buffering"] = "no"
    return made


def _placed(lines: Iterator[str]) -> Iterator[str]:
    with capacity.place():
        yield from lines


def _whole(run: Run, model_name: str) -> Response:
    asks = None
    for event in asking.events(run):
        if event and event["name"] == "approval.requested":
            asks = event["data"]
            break
    run = runs.get(run.tenant, str(run.id))
    if asks is None and run.status != "succeeded":
        raise RunFailed((run.error or {}).get("detail") or f"The run is {run.status}.")
    said = run.answer or "" if asks is None else _asking(run, asks)
    message = {"role": "assistant", "content": said, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return wire.reply(_frame(run, model_name, "chat.completion", [choice]) | {"usage": _usage(run)})


def _chunks(run: Run, asked: ChatRequest) -> Iterator[str]:
    def chunk(delta: dict[str, Any], finished: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finished, "logprobs": None}
        return _data(_frame(run, asked.model, "chat.completion.chunk", [choice]))

    yield chunk({"role": "assistant", "content": ""})
    growing = Growing()
    for event in asking.events(run):
        if event is None:
            yield ": still at work\n\n"
        elif event["name"] == "approval.requested":
            yield chunk({"content": _asking(run, event["data"])})
            break
        elif event["name"] in ("run.failed", "run.cancelled") and not growing.text:
            detail = (event["data"].get("error") or {}).get("detail") or event["name"]
            yield _data({"error": {"message": detail, "type": "server_error", "param": None, "code": "run_failed"}})
            return
        elif added := growing.more(event):
            yield chunk({"content": added})
    yield chunk({}, "stop")
    if asked.stream_options and asked.stream_options.include_usage:
        yield _data(_frame(run, asked.model, "chat.completion.chunk", []) | {"usage": _usage(run)})
    yield "data: [DONE]\n\n"


def _asking(run: Run, asks: dict[str, Any]) -> str:
    what = (asks.get("question") or {}).get("text") or f"{asks['tool']} with {orjson.dumps(asks['arguments']).decode()}"
    return f"Run {run.id} waits for a person ({asks['kind']} {asks['id']}): {what}"


def _usage(run: Run) -> dict[str, int]:
    asked, answered = asking.counted(run)
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def _frame(run: Run, model_name: str, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    made = {"id": f"chatcmpl-{run.id.hex}", "object": kind, "created": int(run.created_at.timestamp())}
    return made | {"model": model_name, "choices": choices}


def _model(name: str, created: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": created, "owned_by": "perdure"}


def _data(frame: dict[str, Any]) -> str:
    return f"data: {orjson.dumps(frame).decode()}\n\n"
