"""Steps of a run that is replayed: they end as they are recorded, and no tool is called; but for two cases.

A step that the replay is to do in earnest (`liveFrom`) is run as any other. A pure tool that asked a model is called,
with the recorded replies, so that a changed prompt of it shows.
"""

from typing import Any

from services import database
from services.journal.claims import Claim
from services.tools.contract import Tool


def is_frozen(claim: Claim) -> bool:
    """Whether this step is told what is recorded."""
    replay = claim.run["replay"]
    return replay is not None and claim.step_id.partition("[")[0] not in replay["live"]


def recorded(claim: Claim, tool: Tool) -> dict[str, Any] | None:
    """How the step ends without a call, as (outcome, output, error); None to call its tool."""
    step = database.call("replay_step", claim.run_id, claim.step_id)
    if step is None:
        if claim.run["replay"]["live"]:
            return None  # what comes after may well be new
        return _failed(f"The recording has no step {claim.step_id}.")
    if step["calls"] and tool.effect == "pure" and not tool.egress:
        return None
    if step["status"] == "succeeded":
        return {"outcome": "succeeded", "output": step["output"]}
    if step["status"] == "failed":
        return {"outcome": "failed", "error": step["error"]}
    if step["status"] == "skipped":
        return {"outcome": "skipped", "error": {"detail": "it was skipped when it was recorded"}}
    return _failed(f"It was {step['status']} when it was recorded.")


def _failed(detail: str) -> dict[str, Any]:
    return {"outcome": "failed", "error": {"detail": detail, "reason": "failed", "kind": "not_recorded"}}
