"""/api/approvals: the inbox of what steps ask of people; approve (as asked or edited), reject, answer."""

from typing import Any, Literal
from uuid import UUID

from flask import Blueprint, Response
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, wire
from gateway.declare import Page
from gateway.fields import Anything, Id, Time
from services import clock
from services.approvals import approvals
from services.approvals.approvals import Approval
from services.journal.surgery import Changed
from services.pipeline import operating

blueprint = Blueprint("approvals", __name__)


class Approve(bodies.Body):
    """arguments: what the call gets instead of what was asked for."""

    arguments: dict[str, Any] | None = None


class Reject(bodies.Body):
    """reason: told to whoever reads the failure of the step."""

    reason: str | None = None


class Answer(bodies.Body):
    """The answer to a question."""

    answer: Any


class Wanted(queries.Query):
    """Which approvals; `all` means whatever their status."""

    status: Literal["open", "approved", "rejected", "answered", "expired", "void", "all"] = "open"
    workflow_id: UUID | None = None
    limit: int = queries.limit(200, 1_000)
    cursor: queries.Cursor | None = None


class ShownApproval(TypedDict):
    """What a step asks of a person, and what was decided."""

    id: Id
    status: Literal["open", "approved", "rejected", "answered", "expired", "void"]
    kind: str
    workflowId: Id
    stepId: str
    tool: str
    arguments: dict[str, Any]
    hash: str
    reason: str | None
    question: Anything
    requestedAt: Time
    expiresAt: Time
    decidedAt: Time | None
    decidedBy: str | None
    decision: Anything


@blueprint.get("/api/approvals")
@declare.operation(query=Wanted, gives=Page[ShownApproval])
def listed() -> Response:
    """What waits for a person, oldest first; `status` (or `all`) and `workflowId` narrow it."""
    asked = queries.read(Wanted)
    found = approvals.listed(
        _tenant(),
        status=None if asked.status == "all" else asked.status,
        run_id=asked.workflow_id,
        limit=asked.limit + 1,
        after=queries.place(asked.cursor),
    )
    return wire.reply(queries.page(found, asked.limit, lambda each: shown(*each), _cursor))


@blueprint.get("/api/approvals/<approval_id>")
@declare.operation(gives=ShownApproval)
def show(approval_id: str) -> Response:
    """One approval, decided or not."""
    return _one(approval_id)


@blueprint.post("/api/approvals/<approval_id>/approve")
@declare.operation(takes=Approve, optional=True, gives=ShownApproval)
def approve(approval_id: str) -> Response:
    """Let the call happen, as asked or with other arguments."""
    asked = bodies.read_or_default(Approve)
    return _decided(approval_id, approvals.approve(_tenant(), approval_id, by=person(), arguments=asked.arguments))


@blueprint.post("/api/approvals/<approval_id>/reject")
@declare.operation(takes=Reject, optional=True, gives=ShownApproval)
def reject(approval_id: str) -> Response:
    """Refuse the call, or to answer; the step fails with the reason."""
    asked = bodies.read_or_default(Reject)
    return _decided(approval_id, approvals.reject(_tenant(), approval_id, by=person(), reason=asked.reason))


@blueprint.post("/api/approvals/<approval_id>/answer")
@declare.operation(takes=Answer, gives=ShownApproval, example={"answer": "the blue one"})
def answer(approval_id: str) -> Response:
    """Answer a question."""
    asked, _ = bodies.read(Answer)
    return _decided(approval_id, approvals.answer(_tenant(), approval_id, by=person(), answer=asked.answer))


def _decided(approval_id: str, changed: Changed) -> Response:
    approval, _ = approvals.get(_tenant(), approval_id)
    operating.carry_on(str(approval.run_id), changed)
    return _one(approval_id)


def _one(approval_id: str) -> Response:
    return wire.reply(shown(*approvals.get(_tenant(), approval_id)))


def _cursor(found: tuple[Approval, str]) -> str:
    return queries.cursor_of(found[0].requested_at, found[0].id)


def shown(approval: Approval, state: Any) -> ShownApproval:
    """An approval as people see it."""
    return {
        "id": str(approval.id),
        "status": state,
        "kind": approval.kind,
        "workflowId": str(approval.run_id),
        "stepId": approval.step_id,
        "tool": approval.tool,
        "arguments": approval.arguments,
        "hash": approval.hash,
        "reason": approval.reason,
        "question": approval.question,
        "requestedAt": clock.to_wire(approval.requested_at),
        "expiresAt": clock.to_wire(approval.expires_at),
        "decidedAt": clock.to_wire(approval.decided_at),
        "decidedBy": approval.decided_by,
        "decision": approval.decision,
    }


def person() -> str:
    """Who decides, for the record: the API key, or whoever is at this machine."""
    return authentication.caller().actor


def _tenant() -> str:
    return authentication.caller().tenant
