"""The tool wait_for_event: sleep, holding no worker, until somebody says that something has happened."""

from typing import Annotated, Any

from pydantic import Field

from services import clock
from services.tools.contract import ToolContext, tool


@tool(effect="pure", timeout=20, capabilities=["wait until another system says that something happened"])
def wait_for_event(
    context: ToolContext,
    event: Annotated[str, Field(min_length=1, max_length=500)],
    timeout: Annotated[float, Field(gt=0, le=366 * 86_400)] = 7 * 86_400,
    lookback: Annotated[float, Field(ge=0, le=30 * 86_400)] = 3_600,
) -> dict[str, Any]:
    """Wait until the app sends the signal named `event`, for `timeout` seconds at most; also finds one sent before.

    Returns {"event", "timedOut": false, "data": what came with it, "at", "text"}, or {"timedOut": true, "data": null}.
    lookback: seconds before the run in which a signal counts that has woken nobody.
    """
    came = context.signal(event, timeout, lookback)
    if came is None:
        text = f"{event} did not happen in time ({clock.to_wire(clock.now())})."
        return {"event": event, "timedOut": True, "data": None, "at": None, "text": text}
    return {"event": event, "timedOut": False, "data": came["data"], "at": came["at"], "text": f"{event} happened."}
