"""The tool send_message: say something to another run of the same tree; it is kept until that reads it."""

from typing import Annotated, Any

from pydantic import Field

from services.errors import Failed
from services.journal import mailbox
from services.pipeline import operating
from services.tools.contract import ToolContext, tool


@tool(
    effect="idempotent",
    timeout=20,
    outside=False,
    capabilities=["tell something to another agent that works at the same time"],
)
def send_message(
    context: ToolContext,
    message: Any,
    to: Annotated[
        str, Field(min_length=1, max_length=200, description="parent, an agent's name, or a run's id")
    ] = "parent",
) -> dict[str, Any]:
    """Send a message to the run that delegated this one (`parent`), or to others of the same tree by agent or run id.

    Returns {"to": the runs that got it, "text"}.
    """
    found = mailbox.addressed(context.run_id, to)
    if not found:
        raise Failed(f"There is no living run {to[:80]!r} in this tree: say parent, an agent's name, or a run's id.")
    for run_id in found:
        for woken in mailbox.send(context.tenant, context.run_id, run_id, message, key=context.idempotency_key):
            operating.carry_on(woken.run_id, woken.changed)
    return {"to": found, "text": f"The message was sent to {len(found)} run(s)."}
