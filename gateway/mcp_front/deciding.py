"""What a run asks of people, and what they say to it, whatever protocol it comes in."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from gateway import authentication
from services.approvals import approvals
from services.approvals.approvals import Approval
from services.pipeline import operating


@dataclass(frozen=True)
class Said:
    """What a person says to an approval or a question. arguments: what the call gets instead. answer: to a question,
    None when it is no answer."""

    yes: bool
    arguments: dict[str, Any] | None = None
    reason: str | None = None
    answer: Any = None


def open_of(tenant: str, run_id: UUID | None) -> list[Approval]:
    """What this run (None: any of the tenant's) waits for a person with."""
    return [approval for approval, _ in approvals.listed(tenant, status="open", run_id=run_id)]


def decide(approval_id: str, said: Said) -> Approval:
    """Decide, and let the run go on. Raises NotFound, Conflict, Gone and BadInput, as approvals.approve does."""
    tenant, by = authentication.caller().tenant, authentication.caller().actor
    approval, _ = approvals.get(tenant, approval_id)
    if not said.yes:
        changed = approvals.reject(tenant, approval_id, by=by, reason=said.reason)
    elif approval.kind == "approval":
        changed = approvals.approve(tenant, approval_id, by=by, arguments=said.arguments)
    else:
        changed = approvals.answer(tenant, approval_id, by=by, answer=said.answer)
    operating.carry_on(str(approval.run_id), changed)
    return approval


def asks(approval: Approval) -> str:
    """What is asked, in a sentence."""
    if approval.kind != "approval":
        return (approval.question or {}).get("text") or "A question."
    arguments = orjson.dumps(approval.arguments).decode()
    return f"May {approval.tool} be called with {arguments}? {approval.reason or ''}".strip()
