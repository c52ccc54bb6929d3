"""Runs as tasks of MCP's Tasks extension: looked at, answered when they ask something of a person, cancelled."""

from typing import Any

from gateway import authentication
from gateway.mcp_front import deciding, eras, rpc, tools
from gateway.mcp_front.deciding import Said
from gateway.mcp_front.eras import Call
from gateway.mcp_front.rpc import RpcError
from services import clock
from services.access.scopes import APPROVE, RUN
from services.approvals.approvals import Approval
from services.errors import Conflict, NotFound
from services.journal import events, runs
from services.journal.runs import Run
from services.pipeline import operating

POLL_MILLISECONDS = 500


def created(run: Run) -> dict[str, Any]:
    """The result of a call that goes on as a task."""
    return {"resultType": "task", **_task(run), "status": "working"}


def get(call: Call) -> dict[str, Any]:
    """The task as it stands, with its result or what it asks."""
    run = _run(call)
    if run.status == "cancelled":
        return {**_task(run), "status": "cancelled"}
    if run.phase is None:
        return {**_task(run), "status": "completed", "result": tools.answered(run)}
    asked = deciding.open_of(run.tenant, run.id)
    if not asked:
        return {**_task(run), "status": "working", "statusMessage": f"The run is {run.status}."}
    if not call.takes_questions:
        waits = ", ".join(str(one.id) for one in asked)
        return {**_task(run), "status": "working", "statusMessage": f"It waits for a person: approvals {waits}."}
    return {**_task(run), "status": "input_required", "inputRequests": {str(one.id): _form(one) for one in asked}}


def update(call: Call) -> dict[str, Any]:
    """Take what a person says; what nobody asks (any more) means nothing."""
    run = _run(call)
    authentication.ask_for(APPROVE)
    said = call.params.get("inputResponses")
    if not isinstance(said, dict):
        raise RpcError(rpc.INVALID_PARAMS, "`inputResponses` must be an object.")
    for approval in deciding.open_of(run.tenant, run.id):
        if isinstance(response := said.get(str(approval.id)), dict):
            _decide(approval, response)
    return {}


def cancel(call: Call) -> dict[str, Any]:
    """Ask the run to stop."""
    authentication.ask_for(RUN)
    run = _run(call)
    operating.cancel(run.tenant, str(run.id))
    return {}


def _run(call: Call) -> Run:
    if not call.takes_tasks:
        needed: Any = {"requiredCapabilities": {"extensions": {eras.TASKS: {}}}}
        raise RpcError(eras.MISSING_CAPABILITY, f"The client must know the extension {eras.TASKS}.", needed)
    try:
        return runs.get(authentication.caller().tenant, str(call.params.get("taskId")))
    except NotFound as error:
        raise RpcError(rpc.INVALID_PARAMS, f"There is no task {str(call.params.get('taskId'))[:80]!r}.") from error


def _task(run: Run) -> dict[str, Any]:
    newest = events.after(run.id, run.last_seq - 1)
    return {
        "taskId": str(run.id),
        "createdAt": clock.to_wire(run.created_at),
        "lastUpdatedAt": newest[-1]["at"] if newest else clock.to_wire(run.created_at),
        "ttlMs": None,
        "pollIntervalMs": POLL_MILLISECONDS,
    }


def _form(approval: Approval) -> dict[str, Any]:
    """What is asked, as a form: may this call be made, or a question's answer."""
    if approval.kind == "approval":
        fields: dict[str, Any] = {"approve": {"type": "boolean"}, "reason": {"type": "string"}}
        needed = ["approve"]
    else:
        choices = (approval.question or {}).get("choices")
        fields = {"answer": {"type": "string"} | ({"enum": choices} if choices else {})}
        needed = ["answer"]
    schema = {"type": "object", "properties": fields, "required": needed}
    asked = {"mode": "form", "message": deciding.asks(approval), "requestedSchema": schema}
    return {"method": "elicitation/create", "params": asked}


def _decide(approval: Approval, response: dict[str, Any]) -> None:
    """A form that was sent off, or declined. A person who only closed it has said nothing."""
    action, content = response.get("action"), response.get("content") or {}
    if action == "cancel":
        return
    agreed = action == "accept" and (approval.kind != "approval" or content.get("approve") is True)
    try:
        said = Said(agreed, reason=content.get("reason"), answer=content.get("answer"))
        deciding.decide(str(approval.id), said)
    except Conflict:
        return  # somebody decided in the meantime
