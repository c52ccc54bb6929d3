"""The tool callback_url: a URL that can be called once, to hand to somebody else; wait_for_event waits for the call."""

from typing import Annotated, Any

from pydantic import Field

from services.approvals import one_shot
from services.journal.signals import KEPT
from services.tools.contract import ToolContext, tool


@tool(effect="pure", timeout=20, capabilities=["make a callback URL that another system calls when it is done"])
def callback_url(
    context: ToolContext, expires_in: Annotated[float, Field(gt=0, le=KEPT.total_seconds())] = 7 * 86_400
) -> dict[str, Any]:
    """Make a URL that anybody may call once, by any method, within `expires_in` seconds.

    Returns {"url", "event", "expiresAt", "text"}. A step `wait_for_event` with that `event` gets the call as `data`:
    {"method", "headers", "query", "body"}.
    """
    made = one_shot.made(context.run_id, context.idempotency_key, expires_in)
    return {**made, "text": f"{made['url']} may be called once, until {made['expiresAt']}."}
