"""The tool `wait_until`: sleeps until a point in time, as a timer row that holds no worker."""

from datetime import datetime, timedelta
from typing import Any

from services import clock
from services.errors import Failed
from services.tools.contract import ToolContext, WaitUntil, tool

LONGEST = timedelta(days=366)


@tool(effect="pure", timeout=20, capabilities=["wait until a time"])
def wait_until(context: ToolContext, at: datetime) -> dict[str, Any]:
    """Wait until `at`, a time with zone as RFC 3339 writes it (2026-12-24T18:00:00Z). A past time is no wait."""
    if at.tzinfo is None:
        raise Failed("The time names no zone; write it like 2026-12-24T18:00:00Z.")
    if at - clock.now() > LONGEST:
        raise Failed("More than a year can't be waited for.")
    if not context.waited and at > clock.now():
        raise WaitUntil(at)
    return {"at": clock.to_wire(at), "text": f"It is {clock.to_wire(clock.now())}."}
