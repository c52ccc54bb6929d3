"""Callbacks: the result of work that another system accepted (202), kept as an approval of the kind `callback`.

The callback URL holds a token that only this step of this effect has; a result that comes before the step sleeps is
kept, and the step is due at once.
"""

import hmac
from typing import Any
from uuid import UUID

from services import database, settings
from services.approvals import approvals
from services.errors import Conflict, NotFound, Unanswered
from services.journal import surgery
from services.journal.surgery import Changed
from services.secrets import vault
from services.tools.contract import ToolContext, WaitForDecision

KIND = "callback"


def url(context: ToolContext, tool: str) -> str:
    """Where the result of this call may be posted: {"output": …} or {"error": "…"}."""
    current = settings.current()
    base = (current.public_url or f"http://127.0.0.1:{current.port}").rstrip("/")
    return f"{base}/callbacks/{context.run_id}/{context.step_id}/{_hash(context, tool)}.{_token(_hash(context, tool))}"


def outcome(context: ToolContext, tool: str) -> dict[str, Any] | None:
    """The posted result, None when there is none yet. Raises Unanswered when it did not come in time."""
    found = approvals.decision_on(context.run_id, context.step_id, _hash(context, tool))
    if found is None or found.status == "open":
        return None
    if found.status == "expired":
        raise Unanswered(f"{tool} accepted the work, and no result came in time.")
    result: dict[str, Any] = found.details.get("answer") or {}
    return result


def awaited(context: ToolContext, tool: str, seconds: float) -> WaitForDecision:
    """What to raise to sleep until the result is posted."""
    asks: dict[str, Any] = {
        "kind": KIND,
        "hash": _hash(context, tool),
        "tool": tool,
        "arguments": {},
        "reason": None,
        "question": None,
    }
    return WaitForDecision(asks, seconds)


def deliver(run_id: str, step_id: str, token: str, result: dict[str, Any]) -> Changed:
    """Take a posted result. Raises NotFound for a wrong token and Conflict when nobody waits for it any more."""
    hash, _, mac = token.partition(".")
    try:
        run = str(UUID(run_id))
    except ValueError as error:
        raise NotFound("There is no such callback.") from error
    if not hmac.compare_digest(mac, _token(hash)):
        raise NotFound("There is no such callback.")
    found = database.call("deliver_callback", run, step_id, hash, database.json({"answer": result}))
    if found and found.get("refused"):
        raise Conflict(found["refused"])
    return surgery.changed(found, "There is no such callback.")


def _hash(context: ToolContext, tool: str) -> str:
    return approvals.hash_of(KIND, context.idempotency_key, tool, [context.run_id, context.step_id])


def _token(hash: str) -> str:
    return vault.sign(KIND, hash)
