"""Waiting for a signal: the step sleeps as a row until one is there (services/journal/signals.py) or its time is up."""

from typing import Any

from services.approvals import approvals
from services.journal.claims import Claim
from services.tools.contract import Tool, WaitForDecision

KIND = "signal"


def awaited(tool: Tool, claim: Claim, event: str, seconds: float, lookback: float) -> dict[str, Any] | None:
    """{data, at} of the signal, or None when none came in time. Raises WaitForDecision until then."""
    hash = approvals.hash_of(KIND, claim.effect_key, tool.name, event)
    decision = approvals.decision_on(claim.run_id, claim.step_id, hash)
    if decision is None or decision.status == "open":
        arguments = {"event": event, "lookback": lookback}
        raise WaitForDecision({"kind": KIND, "hash": hash, "tool": tool.name, "arguments": arguments}, seconds)
    if decision.status != "answered":
        return None
    return {"data": decision.details.get("answer"), "at": decision.details["at"]}
