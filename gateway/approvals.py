"""/api/approvals: the inbox of what steps ask of people; approve (as asked or edited), reject, answer."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from gateway import authentication, bodies, queries, wire
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


@blueprint.get("/api/approvals")
def listed() -> Response:
    """What waits for a person, oldest first; `status` (or `all`) and `workflowId` narrow it."""
    queries.known_only("status", "workflowId", "limit")
    status = queries.choice("status", [*approvals.STATUSES, "all"]) or "open"
    found = approvals.listed(
        _tenant(),
        status=None if status == "all" else status,
        run_id=_run_id(),
        limit=queries.integer("limit", 200, least=1, most=1_000),
    )
    return wire.reply({"items": [_shown(approval, state) for approval, state in found], "next": None})


@blueprint.get("/api/approvals/<approval_id>")
def show(approval_id: str) -> Response:
    """One approval, decided or not."""
    return _one(approval_id)


@blueprint.post("/api/approvals/<approval_id>/approve")
def approve(approval_id: str) -> Response:
    """Let the call happen, as asked or with other arguments."""
    asked = _body(Approve)
    return _decided(approval_id, approvals.approve(_tenant(), approval_id, by=_person(), arguments=asked.arguments))


@blueprint.post("/api/approvals/<approval_id>/reject")
def reject(approval_id: str) -> Response:
    """Refuse the call, or to answer; the step fails with the reason."""
    asked = _body(Reject)
    return _decided(approval_id, approvals.reject(_tenant(), approval_id, by=_person(), reason=asked.reason))


@blueprint.post("/api/approvals/<approval_id>/answer")
def answer(approval_id: str) -> Response:
    """Answer a question."""
    asked, _ = bodies.read(Answer)
    return _decided(approval_id, approvals.answer(_tenant(), approval_id, by=_person(), answer=asked.answer))


def _body(shape: type[bodies.Shape]) -> bodies.Shape:
    """The body, or the shape's defaults when there is none."""
    return bodies.read(shape)[0] if request.get_data() else shape()


def _decided(approval_id: str, changed: Changed) -> Response:
    approval, _ = approvals.get(_tenant(), approval_id)
    operating.carry_on(str(approval.run_id), changed)
    return _one(approval_id)


def _one(approval_id: str) -> Response:
    return wire.reply(_shown(*approvals.get(_tenant(), approval_id)))


def _shown(approval: Approval, state: str) -> dict[str, Any]:
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


def _run_id() -> UUID | None:
    text = request.args.get("workflowId")
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise queries.refused("workflowId", "must be the id of a run.") from error


def _person() -> str:
    """Who decides, for the record: the API key, or whoever is at this machine."""
    key_id = authentication.caller().key_id
    return f"key {key_id}" if key_id else "local"


def _tenant() -> str:
    return authentication.caller().tenant
