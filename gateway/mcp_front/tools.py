"""The tools that control runs: what each takes, which scope it needs, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field

from gateway import authentication, bodies, memory, wire
from gateway.mcp_front import deciding, waiting
from gateway.mcp_front.deciding import Said
from gateway.openai_front import asking
from gateway.openai_front.asking import Asked
from services import clock
from services.access.scopes import APPROVE, READ, RUN
from services.approvals.approvals import Approval
from services.errors import PerdureError
from services.journal import run_search, runs
from services.journal.runs import Run
from services.memory import retrieval
from services.pipeline import operating

MOST = 50

Name = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[str, Field(min_length=1, max_length=20_000)]

Status = Literal[
    "live", "queued", "planning", "executing", "reflecting", "waiting", "paused", "succeeded", "failed", "cancelled"
]


class StartRun(bodies.Body):
    """Start a durable run of a request and return its id at once. See get_run and wait_for_run for the answer."""

    request: Words
    agent: Name | None = None
    conversation_id: Name | None = None
    user_id: Name | None = None
    labels: dict[str, str] | None = None


class OneRun(bodies.Body):
    """Look at a run: its status, its answer so far, and what it waits for a person with."""

    run_id: Name


class WaitForRun(bodies.Body):
    """Wait until a run has ended or asks something of a person, at most 25 seconds, and look at it."""

    run_id: Name
    seconds: Annotated[float, Field(ge=0, le=waiting.LONGEST, strict=False)] = waiting.LONGEST


class CancelRun(bodies.Body):
    """Ask a run to stop; what it has done stays done."""

    run_id: Name


class ListRuns(bodies.Body):
    """List runs, newest first. status: live, or one like succeeded, failed, cancelled. text: in request or answer."""

    status: Status | None = None
    agent: Name | None = None
    text: Name | None = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = 10


class ListApprovals(bodies.Body):
    """List what waits for a person: calls to approve and questions to answer, of one run or of all."""

    run_id: Name | None = None


class Approve(bodies.Body):
    """Let a call that waits for a person happen. arguments: what it gets instead of what was asked for."""

    approval_id: Name
    arguments: dict[str, Any] | None = None


class Reject(bodies.Body):
    """Refuse a call, or to answer a question; the step fails with the reason."""

    approval_id: Name
    reason: Words | None = None


class Answer(bodies.Body):
    """Answer a question that a run asks of a person."""

    approval_id: Name
    answer: Any


class SearchMemory(bodies.Body):
    """Search what is remembered of earlier runs and conversations of a user."""

    query: Words
    user_id: Name = memory.DEFAULT_USER
    limit: Annotated[int, Field(ge=1, le=MOST)] = 10


@dataclass(frozen=True)
class Tool:
    """takes: its arguments; their docstring tells the model what it does. changes: it does something."""

    takes: type[bodies.Body]
    scope: str
    does: Callable[[Any], dict[str, Any]]
    changes: bool = False


def listed() -> list[dict[str, Any]]:
    """They as MCP lists tools."""
    return [
        {
            "name": name,
            "description": tool.takes.__doc__,
            "inputSchema": _schema(tool.takes),
            "annotations": {"readOnlyHint": not tool.changes, "openWorldHint": tool.changes},
        }
        for name, tool in TOOLS.items()
    ]


def call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What the tool answers; a refusal is an answer too, for the model to read."""
    tool = TOOLS[name]
    try:
        authentication.ask_for(tool.scope)
        return told(tool.does(bodies.fitted(tool.takes, arguments)))
    except PerdureError as error:
        return told(error.to_problem(), text=error.detail, failed=True)


def told(found: dict[str, Any], *, text: str | None = None, failed: bool = False) -> dict[str, Any]:
    """The result of a call: for programs, and as text for models."""
    said = text if text is not None else orjson.dumps(found).decode()
    return {"content": [{"type": "text", "text": said}], "structuredContent": found, "isError": failed}


def answered(run: Run) -> dict[str, Any]:
    """The result of a call: the run's answer, or what stands between it and one."""
    found = shown(run)
    if run.phase is None:
        said = run.answer or (run.error or {}).get("detail") or f"The run is {run.status}."
        return told(found, text=said, failed=run.status != "succeeded")
    if found["approvals"]:
        asks = orjson.dumps(found["approvals"]).decode()
        return told(found, text=f"Run {run.id} waits for a person (approve, reject or answer it): {asks}")
    return told(found, text=f"Run {run.id} is still at work; wait_for_run tells when it has ended.")


def shown(run: Run) -> dict[str, Any]:
    """A run as these tools show it."""
    waits = [_approval(each) for each in deciding.open_of(run.tenant, run.id)] if run.phase else []
    return {
        "runId": str(run.id),
        "status": run.status,
        "request": run.request,
        "answer": run.answer,
        "error": run.error,
        "conversationId": run.conversation_id,
        "createdAt": clock.to_wire(run.created_at),
        "approvals": waits,
    }


def _start_run(asked: StartRun) -> dict[str, Any]:
    run = asking.start(
        Asked(asked.request),
        asked.agent or asking.DEFAULT_MODEL,
        user=asked.user_id,
        labels=asked.labels,
        conversation=asked.conversation_id,
    )
    return shown(run)


def _get_run(asked: OneRun) -> dict[str, Any]:
    return shown(_run(asked.run_id))


def _wait_for_run(asked: WaitForRun) -> dict[str, Any]:
    return shown(waiting.until_it_needs_you(_run(asked.run_id), asked.seconds))


def _cancel_run(asked: CancelRun) -> dict[str, Any]:
    operating.cancel(authentication.caller().tenant, asked.run_id)
    return shown(_run(asked.run_id))


def _list_runs(asked: ListRuns) -> dict[str, Any]:
    wanted = run_search.Filter(statuses=(asked.status,) if asked.status else (), agent=asked.agent, text=asked.text)
    found = run_search.listed(authentication.caller().tenant, wanted, limit=asked.limit)
    return {"runs": [wire.run_summary(run) for run in found]}


def _list_approvals(asked: ListApprovals) -> dict[str, Any]:
    run_id = _run(asked.run_id).id if asked.run_id else None
    found = deciding.open_of(authentication.caller().tenant, run_id)
    return {"approvals": [_approval(each) for each in found]}


def _approve(asked: Approve) -> dict[str, Any]:
    return _decided(asked.approval_id, Said(True, arguments=asked.arguments))


def _reject(asked: Reject) -> dict[str, Any]:
    return _decided(asked.approval_id, Said(False, reason=asked.reason))


def _answer(asked: Answer) -> dict[str, Any]:
    return _decided(asked.approval_id, Said(True, answer=asked.answer))


def _decided(approval_id: str, said: Said) -> dict[str, Any]:
    return shown(_run(str(deciding.decide(approval_id, said).run_id)))


def _search_memory(asked: SearchMemory) -> dict[str, Any]:
    found = retrieval.search(authentication.caller().tenant, asked.user_id, asked.query, k=asked.limit)
    return {"memories": [memory.in_short(item.memory) for item in found.items]}


def _run(run_id: str) -> Run:
    return runs.get(authentication.caller().tenant, run_id)


def _approval(approval: Approval) -> dict[str, Any]:
    return {
        "approvalId": str(approval.id),
        "kind": approval.kind,
        "runId": str(approval.run_id),
        "tool": approval.tool,
        "arguments": approval.arguments,
        "reason": approval.reason,
        "question": approval.question,
    }


def _schema(shape: type[bodies.Body]) -> dict[str, Any]:
    schema = shape.model_json_schema()
    return {name: part for name, part in schema.items() if name not in ("title", "description")}


TOOLS = {
    "start_run": Tool(StartRun, RUN, _start_run, changes=True),
    "get_run": Tool(OneRun, READ, _get_run),
    "wait_for_run": Tool(WaitForRun, READ, _wait_for_run),
    "cancel_run": Tool(CancelRun, RUN, _cancel_run, changes=True),
    "list_runs": Tool(ListRuns, READ, _list_runs),
    "list_approvals": Tool(ListApprovals, READ, _list_approvals),
    "approve": Tool(Approve, APPROVE, _approve, changes=True),
    "reject": Tool(Reject, APPROVE, _reject, changes=True),
    "answer": Tool(Answer, APPROVE, _answer, changes=True),
    "search_memory": Tool(SearchMemory, READ, _search_memory),
}
