"""The tool read_messages: what other runs of the tree have said to this one; the step sleeps until there is any."""

from typing import Annotated, Any

from pydantic import Field

from services.journal import mailbox
from services.tools.contract import ToolContext, tool


@tool(effect="pure", timeout=20, capabilities=["read or wait for messages of other agents"])
def read_messages(
    context: ToolContext,
    timeout: Annotated[float, Field(gt=0, le=366 * 86_400)] = 3_600,
    most: Annotated[int, Field(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Read the messages sent to this run that it has not read, waiting `timeout` seconds at most for the first.

    Returns {"messages": [{"from": run, "agent", "message", "at"}], "timedOut", "text"}.
    """
    first = context.signal(mailbox.NAME, timeout, 0)
    if first is None:
        return {"messages": [], "timedOut": True, "text": "Nobody has said anything."}
    found = mailbox.taken(context.run_id, context.step_id, most)
    text = "\n".join(f"{each['agent'] or each['from']}: {each['message']}" for each in found)
    return {"messages": found, "timedOut": False, "text": text}
